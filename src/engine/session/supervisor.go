package session

import (
	"context"
	"runtime/debug"
	"time"

	"go.mau.fi/whatsmeow/store"
	"google.golang.org/protobuf/types/known/timestamppb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// banSurelyOver is how long after the end of a ban a login is tried: WhatsApp tells whole seconds.
const banSurelyOver = time.Second

// supervise keeps the session's line up until the session ends: one line after the other, never two, and none while nobody
// follows. The device is looked up right before its line is made: it may have been unlinked while nobody followed.
func (s *Session) supervise() {
	defer s.finish()
	pause := backoff{pace: s.house.Pace}
	for s.house.Desk.Present(s.ctx) == nil {
		device, err := s.device(s.ctx)
		switch {
		case s.ctx.Err() != nil:
			return
		case err != nil:
			s.rest(s.storeFailed(err), &pause)
		case device == nil:
			s.tellWithoutDevice(s.withoutDevice())
			s.wait(0)
		case s.underWay() != nil: // WhatsApp has not heard yet that it is linked; the attempt's end wakes the session.
			s.wait(0)
		default:
			s.rest(s.keepSafely(device, &pause), &pause)
		}
	}
}

func (s *Session) device(ctx context.Context) (*store.Device, error) {
	s.mu.Lock()
	named := s.named
	s.mu.Unlock()
	return s.store.Device(ctx, named)
}

// withoutDevice says what it means that no device is linked: it was unlinked, its keys are missing, or there never was one.
func (s *Session) withoutDevice() verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil && s.named != "" {
		return loggedOut("", "The keys of the linked device are missing: it must be linked again.")
	}
	return unlinked()
}

// keepSafely keeps a line up until it ends. A panic in our own code ends the line, and no other.
func (s *Session) keepSafely(device *store.Device, pause *backoff) (v verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("keeping a line panicked", "cause", cause, "stack", string(debug.Stack()))
			v = lost("The engine failed to keep the line.")
		}
	}()
	return s.keep(device, pause)
}

func (s *Session) keep(device *store.Device, pause *backoff) verdict {
	c := newConnection(s, device)
	defer c.end()
	switch s.stateNow() {
	case enginev1.LineChanged_STATE_RECONNECTING, enginev1.LineChanged_STATE_BLOCKED:
	default:
		s.tell(&enginev1.LineChanged{State: enginev1.LineChanged_STATE_OPENING})
	}
	v := c.run()
	pause.steadyFor(c.upFor())
	return v
}

// rest tells what became of the line, and waits for as long as the verdict says, or until there is reason to look again.
// The keys of an unlinked device are of no use to anyone, and are erased.
func (s *Session) rest(v verdict, pause *backoff) {
	if s.ctx.Err() != nil {
		return
	}
	change := &enginev1.LineChanged{State: v.state, Failure: v.failure}
	switch v.state {
	case enginev1.LineChanged_STATE_RECONNECTING:
		wait := pause.next() + s.house.Reconnects.Reserve().Delay()
		change.NextAttemptTime = timestamppb.New(time.Now().Add(wait))
		s.tell(change)
		s.wait(wait)
	case enginev1.LineChanged_STATE_BLOCKED:
		wait := s.house.Pace.Blocked
		if !v.bannedUntil.IsZero() {
			change.BannedUntilTime = timestamppb.New(v.bannedUntil)
			wait = min(wait, time.Until(v.bannedUntil)+banSurelyOver)
		}
		s.tell(change)
		s.wait(wait)
	default:
		s.eraseKeys()
		s.tellWithoutDevice(v)
	}
}

// eraseKeys forgets the device, also of a session that is being closed at this moment.
func (s *Session) eraseKeys() {
	if err := s.store.Erase(context.WithoutCancel(s.ctx)); err != nil {
		s.log.Error("the keys of an unlinked device could not be erased", "error", err)
	}
}

// tellWithoutDevice tells it once: looking again and finding nothing is no news.
func (s *Session) tellWithoutDevice(v verdict) {
	s.mu.Lock()
	s.named = ""
	s.mu.Unlock()
	switch s.stateNow() {
	case enginev1.LineChanged_STATE_UNLINKED, enginev1.LineChanged_STATE_LOGGED_OUT:
	default:
		s.tell(&enginev1.LineChanged{State: v.state, Failure: v.failure})
	}
}

// wait waits for a time, for ever if it is 0, or until somebody wakes the session or it ends.
func (s *Session) wait(duration time.Duration) {
	var over <-chan time.Time
	if duration > 0 {
		timer := time.NewTimer(duration)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
	case <-s.woken:
	case <-s.ctx.Done():
	}
}

// finish closes what the session holds, and says so last.
func (s *Session) finish() {
	defer close(s.ended)
	s.endPairing(pairingClosed())
	if err := s.store.Close(); err != nil {
		s.log.Error("the store could not be closed", "error", err)
	}
	s.lease.End()
	s.tell(&enginev1.LineChanged{State: enginev1.LineChanged_STATE_CLOSED})
}

// endWithLease ends the session when its lease runs out, or the store knows of another owner: this one learns of it late.
func (s *Session) endWithLease() {
	select {
	case <-s.lease.Ended():
		if s.ctx.Err() == nil {
			s.log.Warn("the lease has run out: the session is closed")
		}
	case <-s.store.Lost():
		s.log.Warn("the store has another owner: the session is closed")
		s.lease.End()
	case <-s.ended:
	}
	s.cancel()
}
