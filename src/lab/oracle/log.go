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

	mu       sync.Mutex
	sequence uint64
	pending  []byte
	waiting  []chan error
	changed  chan struct{}
	failure  error
	closed   bool

	bell chan struct{}
	done chan struct{}
}

var errClosed = errors.New("the oracle is closed")

// Open continues the file at path, or begins it with mode 0600. A half line at
// the end, left by a crash, is cut off.
func Open(path string, now func() time.Time) (*Log, error) {
	sequence, size, err := lastWhole(path)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	if err = errors.Join(file.Truncate(size), seekTo(file, size)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	log := &Log{
		path: path, file: file, now: now, sequence: sequence,
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
	failure := l.failure
	if l.closed {
		failure = errClosed
	}
	if failure != nil {
		if written != nil {
			written <- failure
		}
		return
	}
	l.sequence++
	entry.Sequence, entry.Time = l.sequence, l.now()
	line, err := json.Marshal(entry)
	if err != nil {
		panic(err) // an Entry holds nothing that JSON cannot say
	}
	l.pending = append(append(l.pending, line...), '\n')
	if written != nil {
		l.waiting = append(l.waiting, written)
	}
	l.ring()
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
	l.failure = err
	close(l.changed)
	l.changed = make(chan struct{})
}

// Changed is closed when entries have been written after the call.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Entries reads the entries after the given sequence number from the file.
func (l *Log) Entries(after uint64) ([]Entry, error) { return ReadFile(l.path, after) }

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
