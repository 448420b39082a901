// Package ratchet keeps apart those who turn the ratchets of one device.
//
// Whoever encrypts or decrypts a message reads an encryption session, turns its ratchet, and writes it back. whatsmeow
// keeps senders apart from each other, and not from what arrives meanwhile: whoever writes last undoes the other's turn.
// Then the next message leaves under a key that another one has used. Its recipient takes it for a repetition: drops it,
// and confirms it.
package ratchet

import (
	"context"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/store"
)

// longestLoan is how long an encryption that failed halfway keeps others waiting: nobody tells of its end.
const longestLoan = 5 * time.Second

// Guard lets one at a time turn the device's ratchets, and no message turn one that it does not fit. Call it once, before
// a client gets the device.
func Guard(device *store.Device) {
	guarded := &turns{turn: make(chan struct{}, 1)}
	device.Sessions = &sessions{device.Sessions, guarded}
	device.EventBuffer = &buffer{device.EventBuffer, guarded}
}

// turns is whose turn it is. Who decrypts has it for a transaction; who encrypts borrows it from reading sessions until
// writing them.
type turns struct {
	turn chan struct{} // holds one while it is somebody's turn

	mu   sync.Mutex
	loan *loan
}

// loan is the turn of somebody who encrypts.
type loan struct{ forget []func() bool }

func (t *turns) take(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turns) leave() { <-t.turn }

// borrow takes the turn until it is given back, the context ends, or too much time has passed.
func (t *turns) borrow(ctx context.Context) error {
	if err := t.take(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := &loan{}
	t.loan = mine
	back := func() { t.giveBack(mine) }
	mine.forget = []func() bool{context.AfterFunc(ctx, back), time.AfterFunc(longestLoan, back).Stop}
	return nil
}

func (t *turns) current() *loan {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.loan
}

func (t *turns) giveBack(it *loan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if it == nil || t.loan != it {
		return
	}
	t.loan = nil
	for _, stop := range it.forget {
		stop()
	}
	t.leave()
}

// decrypting marks the context of who decrypts, and holds the sessions that were read meanwhile, by address.
type decrypting struct{}

// buffer is where whatsmeow begins to decrypt.
type buffer struct {
	store.EventBuffer
	turns *turns
}

func (b *buffer) DoDecryptionTxn(ctx context.Context, decrypt func(context.Context) error) error {
	if err := b.turns.take(ctx); err != nil {
		return err
	}
	defer b.turns.leave()
	return b.EventBuffer.DoDecryptionTxn(context.WithValue(ctx, decrypting{}, make(map[string][]byte, 1)), decrypt)
}

// sessions is where whatsmeow reads and writes encryption sessions.
type sessions struct {
	store.SessionStore
	turns *turns
}

func (s *sessions) GetSession(ctx context.Context, address string) ([]byte, error) {
	if err := s.borrow(ctx); err != nil {
		return nil, err
	}
	session, err := s.SessionStore.GetSession(ctx, address)
	if read := sessionsRead(ctx); read != nil && err == nil {
		read[address] = session
	}
	return session, err
}

func (s *sessions) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	if err := s.borrow(ctx); err != nil {
		return nil, err
	}
	return s.SessionStore.GetManySessions(ctx, addresses)
}

func (s *sessions) PutSession(ctx context.Context, address string, session []byte) error {
	defer s.giveBack(ctx)
	if read := sessionsRead(ctx); read != nil {
		before, isRead := read[address]
		if !isRead {
			var err error
			if before, err = s.SessionStore.GetSession(ctx, address); err != nil {
				return err
			}
		}
		session = undisturbed(before, session)
		read[address] = session
	}
	return s.SessionStore.PutSession(ctx, address, session)
}

func (s *sessions) PutManySessions(ctx context.Context, written map[string][]byte) error {
	defer s.giveBack(ctx)
	return s.SessionStore.PutManySessions(ctx, written)
}

// sessionsRead are the sessions that who decrypts has read; nil for who does not decrypt.
func sessionsRead(ctx context.Context) map[string][]byte {
	read, _ := ctx.Value(decrypting{}).(map[string][]byte)
	return read
}

func (s *sessions) borrow(ctx context.Context) error {
	if sessionsRead(ctx) != nil {
		return nil
	}
	return s.turns.borrow(ctx)
}

func (s *sessions) giveBack(ctx context.Context) {
	if sessionsRead(ctx) == nil {
		s.turns.giveBack(s.turns.current())
	}
}
