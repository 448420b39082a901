package session

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/line"
)

const (
	// handover is how long WhatsApp may take, after a device was linked, to send it off to log in.
	handover = 5 * time.Second
	// decision is how long it may take to learn whether a device was linked, after the line broke in the middle of it.
	decision = 10 * time.Second
)

// challenge is what a person was asked.
type challenge int

const (
	challengeNone challenge = iota
	challengePasskey
	challengeCodes
)

// attempt is one try to link a device: a line of its own, before login.
type attempt struct {
	session *Session
	id      string
	phone   string // empty for a QR
	device  *store.Device
	line    *line.Line
	ctx     context.Context
	cancel  context.CancelFunc
	heard   chan any
	answers chan func(*attempt) error
	done    chan struct{}

	mu        sync.Mutex
	stopped   *wagatev1.Failure // why it was ended from outside
	linking   bool              // past the point of no return
	linked    bool              // the worker has stored the device
	challenge challenge
}

func newAttempt(s *Session, id, phone string) *attempt {
	a := &attempt{
		session: s, id: id, phone: phone,
		heard:   make(chan any, 32),
		answers: make(chan func(*attempt) error, 2),
		done:    make(chan struct{}),
	}
	a.ctx, a.cancel = context.WithTimeout(s.ctx, attemptPatience)
	s.mu.Lock()
	defer s.mu.Unlock()
	a.device = s.store.NewDevice()
	a.device.PushName = s.wishes.pushName
	a.device.Container = linkingContainer{a.device.Container, a}
	a.line = line.New(s.ctx, line.Options{
		Device:  a.device,
		Network: s.house.Network,
		Proxy:   s.wishes.proxy,
		Lease:   s.lease,
		Log:     s.log,
		Hear:    func(_ *line.Line, event any) line.Answer { return line.Said(a.hear(event)) },
		MayLink: a.mayLink,
	})
	return a
}

// run plays the attempt to its end, and tells it.
func (a *attempt) run() {
	defer close(a.done)
	failed := a.linkSafely()
	a.cancel()
	a.line.Close()
	a.session.mu.Lock()
	a.session.attempt = nil
	a.session.mu.Unlock()
	if failed == nil {
		a.session.wake()
		return
	}
	a.step(&enginev1.PairingStep{Step: &enginev1.PairingStep_Failed{Failed: failed}})
	if a.wasLinked() {
		a.session.eraseKeys()
		a.session.tell(&enginev1.LineChanged{State: enginev1.LineChanged_STATE_LOGGED_OUT,
			Failure: loggedOut("", "Linking failed after the device was stored: it must be linked again.").failure})
	}
}

// linkSafely is link, whose panics fail the attempt and nothing else.
func (a *attempt) linkSafely() (failed *wagatev1.Failure) {
	defer func() {
		if cause := recover(); cause != nil {
			a.session.log.Error("a pairing attempt panicked", "cause", cause, "stack", string(debug.Stack()))
			failed = pairingFailed("", "The engine failed in this attempt.")
		}
	}()
	return a.link()
}

// progress is how far an attempt has got. Its signs come on different paths, in any order.
type progress struct {
	linked     bool              // WhatsApp was told that the device is linked
	handedOver bool              // WhatsApp sent the device off to log in
	lost       *wagatev1.Failure // the line is gone, and what that means if nothing more is heard
}

func (p *progress) isOver() bool { return p.linked && (p.handedOver || p.lost != nil) }

// link returns nil once the device is linked, else why not.
func (a *attempt) link() *wagatev1.Failure {
	if err := a.line.Connect(); err != nil {
		return a.stoppedOr(pairingFailed("", "The connection could not be made: "+err.Error()+"."))
	}
	var made progress
	codes := codes{attempt: a}
	defer func() { codes.stop() }()
	gone := a.line.Gone()
	for !made.isOver() {
		var failed *wagatev1.Failure
		select {
		case event := <-a.heard:
			failed = a.proceed(event, &codes, &made)
		case act := <-a.answers:
			failed = a.actOn(act)
		case <-codes.expired():
			failed = codes.afterWaiting(&made)
		case <-gone:
			made.lost, gone = codes.afterLoss(), nil
			codes.wait(lastWords)
			if a.isLinking() {
				codes.wait(decision)
			}
		case <-a.ctx.Done():
			failed = a.outOfTime()
		}
		if failed != nil {
			return a.stoppedOr(failed)
		}
	}
	return nil
}

// proceed takes one step. It returns why the attempt failed, if it did.
func (a *attempt) proceed(event any, codes *codes, made *progress) *wagatev1.Failure {
	switch e := event.(type) {
	case *events.QR:
		return codes.begin(e.Codes)
	case *events.PairPasskeyRequest:
		return a.askPasskey(e, codes)
	case *events.PairPasskeyConfirmation:
		return a.askCodes(e)
	case *events.PairPasskeyError:
		return pairingFailed("", "The passkey step failed: "+e.Error.Error()+".")
	case *events.PairSuccess:
		made.linked = true
		codes.wait(handover)
	case *events.ManualLoginReconnect:
		made.handedOver = true
	case *events.QRScannedWithoutMultidevice:
		a.session.log.Warn("a phone scanned the code that is too old to link devices: the code may be scanned again")
	case *events.PairError:
		return pairingFailed("", "Linking failed: "+e.Error.Error()+".")
	default:
		if v, isEnd := verdictOn(event); isEnd {
			return pairingFailed(v.failure.GetProviderCode(), v.failure.GetMessage())
		}
	}
	return nil
}

func (a *attempt) actOn(act func(*attempt) error) *wagatev1.Failure {
	if err := act(a); err != nil {
		return pairingFailed("", "The passkey step failed: "+err.Error()+".")
	}
	return nil
}

func (a *attempt) outOfTime() *wagatev1.Failure {
	if a.session.ctx.Err() != nil {
		return pairingClosed()
	}
	return pairingTimedOut()
}

// hear passes on what matters to an attempt, to be taken one after the other.
func (a *attempt) hear(event any) bool {
	select {
	case a.heard <- event:
	case <-a.ctx.Done():
	}
	return true
}

// mayLink says no to another number than the session expects.
func (a *attempt) mayLink(account types.JID) bool {
	a.session.mu.Lock()
	expected := a.session.wishes.expectedPhone
	a.session.mu.Unlock()
	may := expected == "" || convert.PhoneNumber(account.ToNonAD()) == expected
	if !may {
		a.condemn(pairedWrongAccount())
	}
	return may
}
