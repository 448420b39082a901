package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ReadFile reads the entries after the given sequence number. A last line that
// is still being written is left out.
func ReadFile(path string, after uint64) ([]Entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for line := range bytes.Lines(data) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		var entry Entry
		if err = json.Unmarshal(line, &entry); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if entry.Sequence > after {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// lastWhole finds the last sequence number of a file and where its last whole
// line ends; both are 0 for a file that does not exist.
func lastWhole(path string) (sequence uint64, size int64, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	if len(whole) == 0 {
		return 0, 0, nil
	}
	start := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	var last Entry
	if err = json.Unmarshal(whole[start:], &last); err != nil {
		return 0, 0, fmt.Errorf("the last line of %s: %w", path, err)
	}
	return last.Sequence, int64(len(whole)), nil
}

func seekTo(file *os.File, offset int64) error {
	_, err := file.Seek(offset, io.SeekStart)
	return err
}
