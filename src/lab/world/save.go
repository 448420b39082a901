package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNotEmpty tells that a world is to be saved where something is already.
var ErrNotEmpty = errors.New("a world is saved into an empty folder only")

// Save writes the world into a folder, which is made if need be: keys,
// accounts, devices and queues first, then the persons. What happens in between
// is delivered once more, and known, after loading.
func (w *World) Save(ctx context.Context, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	held, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if len(held) > 0 {
		return fmt.Errorf("%w, and %s holds %s", ErrNotEmpty, folder, held[0].Name())
	}
	state, err := w.Server.SaveWorld()
	if err != nil {
		return err
	}
	if err = w.Cast.Save(ctx, filepath.Join(folder, personsFolder)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, stateFile), state, 0o600)
}

// copyFolder copies the files of a folder, which may be missing, into another
// one that only its owner may read.
func copyFolder(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "*"))
	if err != nil {
		return err
	}
	if err = os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err = os.WriteFile(filepath.Join(to, filepath.Base(file)), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
