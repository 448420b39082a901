package line

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.mau.fi/libsignal/signalerror"
	"go.mau.fi/whatsmeow/store"

	"wagate.dev/src/engine/keystore"
)

// errUsedKey is what is wrong with a message that was encrypted with a key of another one. whatsmeow would take it for a
// repetition, confirm it and be silent. It is none: the buffer knows what was decrypted before, and repetitions never come
// to be decrypted. So it is asked for again, like all that cannot be read.
var errUsedKey = errors.New("it was encrypted with a key that another message had used")

// errShut is context.Canceled in other words: whatsmeow drops a stanza without a word to WhatsApp when it meets it.
var errShut = fmt.Errorf("the line is shut: %w", context.Canceled)

// gate stands before the buffer in which whatsmeow keeps what it decrypted and was not yet told to be stored. Once it is
// shut, the line decrypts nothing more and marks nothing as done, whatever whatsmeow makes of a refusal: what arrived will
// be told again on the next line. Waiting for it lets no two lines of one session decrypt at the same time, in which case
// one would take the other's success for a repetition and confirm a message that nobody has.
type gate struct {
	store.EventBuffer
	storeFailed func(error)

	mu      sync.Mutex
	shut    bool
	passing sync.WaitGroup
	asked   [32]byte // the name of what was last looked for in the buffer
}

// close lets nothing pass from now on.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// wait returns when all that had passed is through. Call it after close.
func (g *gate) wait() { g.passing.Wait() }

func (g *gate) pass() (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return nil, errShut
	}
	g.passing.Add(1)
	return g.passing.Done, nil
}

func (g *gate) GetBufferedEvent(ctx context.Context, hash [32]byte) (*store.BufferedEvent, error) {
	leave, err := g.pass()
	if err != nil {
		return nil, err
	}
	defer leave()
	g.note(hash)
	event, err := g.EventBuffer.GetBufferedEvent(ctx, hash)
	return event, g.judge(err, err != nil)
}

func (g *gate) note(hash [32]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = hash
}

// latest is the name of what was last looked for in the buffer: of what is decrypted just now.
func (g *gate) latest() [32]byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

// confirming marks the context of what is followed by a receipt.
type confirming struct{}

// DoDecryptionTxn need not wait for the disk: whatever is decrypted is marked as done before its receipt leaves, and that
// is on disk together with all before it.
func (g *gate) DoDecryptionTxn(ctx context.Context, decrypt func(context.Context) error) error {
	leave, err := g.pass()
	if err != nil {
		return err
	}
	defer leave()
	var decryptErr error
	if ctx.Value(confirming{}) == nil {
		ctx = keystore.Lazily(ctx)
	}
	err = g.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
		if decryptErr = decrypt(ctx); errors.Is(decryptErr, signalerror.ErrOldCounter) {
			decryptErr = errUsedKey
		}
		return decryptErr
	})
	return g.judge(err, err != nil && decryptErr == nil)
}

func (g *gate) ClearBufferedEventPlaintext(ctx context.Context, hash [32]byte) error {
	leave, err := g.pass()
	if err != nil {
		return err
	}
	defer leave()
	return g.EventBuffer.ClearBufferedEventPlaintext(ctx, hash)
}

// PutBufferedEvent is called inside DoDecryptionTxn, hence has passed already.
func (g *gate) PutBufferedEvent(ctx context.Context, hash [32]byte, plaintext []byte, at time.Time) error {
	return g.EventBuffer.PutBufferedEvent(ctx, hash, plaintext, at)
}

// judge tells trouble with the store from a message that cannot be decrypted. whatsmeow confirms the latter and asks for
// it again; the former must leave the message with WhatsApp, so the line ends.
func (g *gate) judge(err error, fromStore bool) error {
	if err == nil || !(fromStore || keystore.IsTrouble(err)) {
		return err
	}
	g.close()
	g.storeFailed(err)
	return fmt.Errorf("%w: %w", errShut, err)
}
