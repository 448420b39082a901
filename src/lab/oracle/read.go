package oracle

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// ReadFile reads the entries after the given sequence number. A last line that
// is still being written is left out.
func ReadFile(path string, after uint64) ([]Entry, error) { return readFrom(path, 0, after) }

func readFrom(path string, offset int64, after uint64) (entries []Entry, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err = file.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		var entry Entry
		if err = json.Unmarshal(line, &entry); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if entry.Sequence > after {
			entries = append(entries, entry)
		}
	}
}
