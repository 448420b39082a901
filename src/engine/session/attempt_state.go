package session

import (
	"context"
	"errors"

	"go.mau.fi/whatsmeow/store"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/follow"
)

var errNotStored = errors.New("the worker did not store the device")

// linkingContainer stands before the store of a device that is being linked. whatsmeow saves the device right before it
// confirms to WhatsApp: so here the worker is told and waited for, and neither keys nor WhatsApp know of a device that
// the worker has not stored.
type linkingContainer struct {
	store.DeviceContainer
	attempt *attempt
}

func (l linkingContainer) PutDevice(ctx context.Context, device *store.Device) error {
	if !l.attempt.beginLinking() {
		return context.Canceled
	}
	if err := l.attempt.askToStore(device); err != nil {
		return err
	}
	return l.DeviceContainer.PutDevice(ctx, device)
}

// askToStore tells the worker of the linked device and waits until it is stored. A panic here would end the process.
func (a *attempt) askToStore(device *store.Device) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			a.session.log.Error("telling of a linked device panicked", "cause", cause)
			err = errNotStored
		}
	}()
	step := &enginev1.PairingStep{AttemptId: a.id, Step: &enginev1.PairingStep_Linked{Linked: convert.Device(device)}}
	s := a.session
	if s.house.Desk.Ask(s.newItem(step), nil).Settlement(s.house.Pace.Settlement, a.line.Gone()) != follow.Stored {
		return errNotStored
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.linked = true
	return nil
}

// beginLinking says false if the attempt was ended before. From here on it cannot be.
func (a *attempt) beginLinking() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.linking = a.stopped == nil
	return a.linking
}

// stop ends the attempt for a reason, unless WhatsApp is being told of its success.
func (a *attempt) stop(why *wagatev1.Failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.linking || a.stopped != nil {
		return
	}
	a.stopped = why
	a.cancel()
	a.line.Shut()
}

// condemn says beforehand why the attempt will have failed, and lets whatsmeow tell WhatsApp first.
func (a *attempt) condemn(why *wagatev1.Failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped == nil {
		a.stopped = why
	}
}

func (a *attempt) isLinking() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.linking
}

func (a *attempt) wasLinked() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.linked
}

// stoppedOr is why the attempt was ended from outside, else the failure given.
func (a *attempt) stoppedOr(failed *wagatev1.Failure) *wagatev1.Failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped != nil {
		return a.stopped
	}
	return failed
}

// pose notes that a person was asked something.
func (a *attempt) pose(asked challenge) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.challenge = asked
}

// meet says whether a person was asked this, and takes the question back.
func (a *attempt) meet(answered challenge) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.challenge != answered {
		return false
	}
	a.challenge = challengeNone
	return true
}
