package keystore

import (
	"errors"

	"modernc.org/sqlite"
)

// ErrTaken means that the session has another owner by now: nothing was written, and nothing ever will be.
var ErrTaken = errors.New("the session's keys have another owner")

// Trouble is what a database says, or what is said about not reaching it.
type Trouble struct{ Err error }

// Error is what was said.
func (t *Trouble) Error() string { return "the store: " + t.Err.Error() }

// Unwrap is what was said.
func (t *Trouble) Unwrap() error { return t.Err }

// IsTrouble says whether an error comes from a store, and not from what was to be done with its keys.
func IsTrouble(err error) bool {
	var file *sqlite.Error
	var database *Trouble
	return errors.As(err, &file) || errors.As(err, &database)
}
