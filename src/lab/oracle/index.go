package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// stride is how many entries lie between two places that the index knows.
const stride = 64

// index knows where in the file some of the entries begin.
type index struct {
	count  uint64  // entries, and so the last one's sequence
	size   int64   // bytes
	places []int64 // of the entries 1, 1+stride, 1+2*stride …
}

// add notes an entry of so many bytes at the end.
func (i *index) add(length int) {
	if i.count%stride == 0 {
		i.places = append(i.places, i.size)
	}
	i.count++
	i.size += int64(length)
}

// before gives a place from which the entry after the given one can be reached.
func (i *index) before(after uint64) int64 {
	if after >= i.count {
		return i.size
	}
	return i.places[after/stride]
}

// readIndex makes the index of a file; that of a missing file is empty. Bytes
// after the last whole line do not count.
func readIndex(path string) (index, error) {
	var known index
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return known, err
	}
	var last []byte
	for line := range bytes.Lines(data) {
		if bytes.HasSuffix(line, []byte("\n")) {
			known.add(len(line))
			last = line
		}
	}
	var entry Entry
	if last == nil {
		return known, nil
	}
	if err = json.Unmarshal(last, &entry); err != nil || entry.Sequence != known.count {
		return known, fmt.Errorf("%s is no oracle, or entries are missing in it", path)
	}
	return known, nil
}
