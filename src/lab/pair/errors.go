// Package pair links companions to accounts, as a phone would: by scanning the
// QR code a client shows, or by entering the code it gives out.
package pair

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformedQR tells that a text is not that of a linking QR code.
	ErrMalformedQR = errors.New("that is not the text of a linking QR code")
	// ErrUnknownRef tells that a QR code is too old, or its client is gone.
	ErrUnknownRef = errors.New("no client shows that QR code any more")
	// ErrForeignKeys tells that a QR code's keys are not those its client registered with.
	ErrForeignKeys = errors.New("the QR code's keys are not those of the client that shows it")
	// ErrNoCodeRequested tells that no connected client asked for a code for that number.
	ErrNoCodeRequested = errors.New("no client waits for a code to be entered for that phone number")
	// ErrWrongCode tells that another code was entered than the client gave out.
	ErrWrongCode = errors.New("the entered code is not the one the client gave out")
	// ErrConnectionLost tells that the client went away before it was linked.
	ErrConnectionLost = errors.New("the client went away before it was linked")
	// ErrBadSignature tells that the client's confirmation is not signed by its key.
	ErrBadSignature = errors.New("the client's confirmation is not signed by its identity key")
	// ErrBusy tells that the client is being linked by another scan already.
	ErrBusy = errors.New("the client is being linked already")
)

// Refused tells that the client itself declined to be linked.
type Refused struct {
	Code string
	Text string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("the client refused to be linked: %s %s", r.Code, r.Text)
}
