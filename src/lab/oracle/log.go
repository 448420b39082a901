package oracle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Log appends entries to a file. Whoever commits waits for the disk; those who
// wait at the same time share one fsync.
type Log struct {
	path string
	file *os.File
	now  func() time.Time

	mu      sync.Mutex
	index   index
	pending []byte
	waiting []chan error
	changed chan struct{}
	failure error
	closed  bool

	bell chan struct{}
	done chan struct{}
}

var errClosed = errors.New("the oracle is closed")

// Open continues the file at path, or begins it with mode 0600. A half line at
// the end, left by a crash, is cut off.
func Open(path string, now func() time.Time) (*Log, error) {
	index, err := readIndex(path)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	if err = file.Truncate(index.size); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	log := &Log{
		path: path, file: file, now: now, index: index,
		changed: make(chan struct{}), bell: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go log.write()
	return log, nil
}

// Note appends an entry without waiting for the disk.
func (l *Log) Note(entry Entry) { l.append(entry, nil) }

// Commit appends an entry and returns once it is on disk.
func (l *Log) Commit(entry Entry) error {
	written := make(chan error, 1)
	l.append(entry, written)
	return <-written
}

func (l *Log) append(entry Entry, written chan error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.broken(); err != nil {
		if written != nil {
			written <- err
		}
		return
	}
	entry.Sequence, entry.Time = l.index.count+1, l.now()
	line, err := json.Marshal(entry)
	if err != nil {
		panic(err) // an Entry holds nothing that JSON cannot say
	}
	line = append(line, '\n')
	l.index.add(len(line))
	l.pending = append(l.pending, line...)
	if written != nil {
		l.waiting = append(l.waiting, written)
	}
	l.ring()
}

func (l *Log) broken() error {
	if l.closed {
		return errClosed
	}
	return l.failure
}

func (l *Log) ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

func (l *Log) write() {
	defer close(l.done)
	for range l.bell {
		l.mu.Lock()
		lines, waiting, closed := l.pending, l.waiting, l.closed
		l.pending, l.waiting = nil, nil
		l.mu.Unlock()
		l.writeGroup(lines, waiting)
		if closed {
			return
		}
	}
}

func (l *Log) writeGroup(lines []byte, waiting []chan error) {
	if len(lines) == 0 {
		return
	}
	_, err := l.file.Write(lines)
	if err == nil {
		err = l.file.Sync()
	}
	for _, written := range waiting {
		written <- err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = errors.Join(l.failure, err)
	close(l.changed)
	l.changed = make(chan struct{})
}

// Changed is closed when entries have been written after the call.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Entries reads the entries after the given sequence number from the file. It
// costs as much as there is to read, however long the file is.
func (l *Log) Entries(after uint64) ([]Entry, error) {
	l.mu.Lock()
	offset := l.index.before(after)
	l.mu.Unlock()
	return readFrom(l.path, offset, after)
}

// Path is where the file is.
func (l *Log) Path() string { return l.path }

// Close writes what is pending and closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.ring()
	l.mu.Unlock()
	<-l.done
	return errors.Join(l.failure, l.file.Close())
}
