package line

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
)

const (
	// mostWaiting is how many stanzas may have arrived and wait for their turn; then nothing more is read for a while.
	mostWaiting = 1024
	// shortWork is how long a stanza may be at work before the line reads on regardless: its end may hang on an answer of
	// WhatsApp's that is still to be read.
	shortWork = time.Second
	// lookAgain is how often a line that does not read looks whether it may.
	lookAgain = 20 * time.Millisecond
)

// stanzas are what has arrived and waits for its turn, in order, and what is at work. whatsmeow's own queue loses the
// order once 2048 wait, and takes in without bound.
type stanzas struct {
	mu       sync.Mutex
	waiting  []*waBinary.Node
	arrived  chan struct{} // holds one sign that something waits
	now      *waBinary.Node
	since    time.Time
	forStore bool // what is at work waits for the worker
	held     time.Time
}

func newStanzas() *stanzas { return &stanzas{arrived: make(chan struct{}, 1)} }

// gather takes over what whatsmeow queues.
func (s *stanzas) gather(queue <-chan *waBinary.Node, gone <-chan struct{}) {
	for {
		select {
		case stanza := <-queue:
			s.mu.Lock()
			s.waiting = append(s.waiting, stanza)
			s.mu.Unlock()
			select {
			case s.arrived <- struct{}{}:
			default:
			}
		case <-gone:
			return
		}
	}
}

// begin takes the next stanza to work; nil if none waits.
func (s *stanzas) begin() *waBinary.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.now, s.waiting = nil, nil
		return nil
	}
	s.now, s.since = s.waiting[0], time.Now()
	s.waiting[0] = nil
	s.waiting = s.waiting[1:]
	return s.now
}

// atWork is the stanza that is at work.
func (s *stanzas) atWork() *waBinary.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// waitForStore says, until the returned function is called, that what is at work waits for the worker.
func (s *stanzas) waitForStore() (over func()) {
	set := func(waits bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.forStore = waits
	}
	set(true)
	return func() { set(false) }
}

// mayRead says whether there is room for more.
func (s *stanzas) mayRead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) < mostWaiting || !s.forStore && time.Since(s.since) > shortWork {
		return true
	}
	s.held = time.Now()
	return false
}

// heldWithin says whether reading was held back not longer ago than this.
func (s *stanzas) heldWithin(span time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.held) < span
}

// work handles what arrives, one stanza after the other, until the line is gone.
func (l *Line) work(ctx context.Context) {
	for !l.IsGone() {
		if stanza := l.stanzas.begin(); stanza != nil {
			l.handle(ctx, stanza)
			continue
		}
		select {
		case <-l.stanzas.arrived:
		case <-l.gone:
		}
	}
}

// handle lets whatsmeow handle a stanza. A panic ends the line, and nothing else.
func (l *Line) handle(ctx context.Context, stanza *waBinary.Node) {
	defer func() {
		if cause := recover(); cause != nil {
			l.options.Log.Error("handling a stanza panicked", "tag", stanza.Tag, "cause", cause, "stack", string(debug.Stack()))
			l.Shut()
		}
	}()
	if react := reactions[stanza.Tag]; react != nil {
		react(l.internals(), ctx, stanza)
		return
	}
	l.options.Log.Warn("nobody knows such a stanza", "tag", stanza.Tag)
}

type reaction = func(*whatsmeow.DangerousInternalClient, context.Context, *waBinary.Node)

// reactions are what whatsmeow does with a stanza, by its tag.
var reactions = map[string]reaction{
	"message":      (*whatsmeow.DangerousInternalClient).HandleEncryptedMessage,
	"appdata":      (*whatsmeow.DangerousInternalClient).HandleEncryptedMessage,
	"status":       (*whatsmeow.DangerousInternalClient).HandleUnencryptedMessage,
	"receipt":      (*whatsmeow.DangerousInternalClient).HandleReceipt,
	"call":         (*whatsmeow.DangerousInternalClient).HandleCallEvent,
	"chatstate":    (*whatsmeow.DangerousInternalClient).HandleChatState,
	"presence":     (*whatsmeow.DangerousInternalClient).HandlePresence,
	"notification": (*whatsmeow.DangerousInternalClient).HandleNotification,
	"success":      (*whatsmeow.DangerousInternalClient).HandleConnectSuccess,
	"failure":      (*whatsmeow.DangerousInternalClient).HandleConnectFailure,
	"stream:error": (*whatsmeow.DangerousInternalClient).HandleStreamError,
	"iq":           (*whatsmeow.DangerousInternalClient).HandleIQ,
	"ib":           (*whatsmeow.DangerousInternalClient).HandleIB,
}
