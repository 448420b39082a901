package model

import (
	"errors"
	"strconv"
)

// ErrNoFreeNumber tells that all numbers the lab makes up are taken.
var ErrNoFreeNumber = errors.New("all numbers from +447700900000 to +447700900999 are taken; name one yourself")

// Numbers the lab makes up belong to nobody: Ofcom keeps them for drama.
const (
	firstFreeNumber = 447700900000
	lastFreeNumber  = 447700900999
)

// freeNumber finds the lowest made-up number without an account. The caller
// holds the lock.
func (w *World) freeNumber() (string, error) {
	for number := firstFreeNumber; number <= lastFreeNumber; number++ {
		if phone := strconv.Itoa(number); w.byPhone[phone] == nil {
			return phone, nil
		}
	}
	return "", ErrNoFreeNumber
}
