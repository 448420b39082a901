package session

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/follow"
	"wagate.dev/src/engine/lease"
)

// Session is an open session. What it tells comes in order; what is asked of it may be asked by many at once.
type Session struct {
	id       string
	house    *House
	log      *slog.Logger
	store    keys
	lease    *lease.Lease
	refusals refusals
	ctx      context.Context
	cancel   context.CancelFunc
	woken    chan struct{} // holds one sign that it is worth looking again
	ended    chan struct{} // closed when the store is
	pairing  sync.Mutex    // one at a time begins to pair

	mu         sync.Mutex
	fence      int64
	wishes     wishes
	named      string      // the device's JID, once it is known
	run        *follow.Run // what is told belongs to it
	connection *connection
	attempt    *attempt
	state      *enginev1.LineChanged
}

// wishes are what the worker said when it opened the session.
type wishes struct {
	place         place
	proxy         *url.URL
	expectedPhone string
	pushName      string
}

func newSession(house *House, id string, store keys, held *lease.Lease) *Session {
	s := &Session{
		id: id, house: house, store: store, lease: held,
		log:   house.Log.With("session_id", id),
		woken: make(chan struct{}, 1),
		ended: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// begin starts what the session does by itself.
func (s *Session) begin(fence int64, wished wishes, named string) {
	s.fence, s.wishes, s.named = fence, wished, named
	go s.endWithLease()
	go s.supervise()
}

// takeOver gives an open session to a new owner, who is told where its line is. It says false if the session must be
// opened anew: its lease has run out, its keys lie elsewhere, or another process had them open meanwhile.
func (s *Session) takeOver(ctx context.Context, fence int64, until time.Duration, wished wishes) bool {
	isOurs, err := s.store.Raise(ctx, fence)
	if err != nil {
		s.log.Warn("the store could not be taken over: it is opened anew", "error", err)
	}
	s.mu.Lock()
	if !isOurs || s.wishes.place != wished.place || !s.lease.Renew(until) {
		s.mu.Unlock()
		return false
	}
	s.fence, s.wishes = fence, wished
	s.mu.Unlock()
	s.Retell()
	s.wake()
	return true
}

// Retell tells again where the line is, for a worker that has just begun to follow.
func (s *Session) Retell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != nil {
		s.house.Desk.Tell(s.item(s.state))
	}
}

// close ends the session, and returns when its store is closed.
func (s *Session) close() {
	s.cancel()
	<-s.ended
}

// wake makes the supervisor look again at once.
func (s *Session) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// tell says where the line is from now on.
func (s *Session) tell(change *enginev1.LineChanged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellLocked(change)
}

// tellLocked is tell for who holds the lock.
func (s *Session) tellLocked(change *enginev1.LineChanged) {
	s.state = change
	s.house.Desk.Tell(s.item(change))
	s.log.Info("the line changed", "state", change.State.String(), "reason", change.GetFailure().GetReason().String(),
		"message", change.GetFailure().GetMessage())
}

// stateNow is where the line is; unspecified before it is known.
func (s *Session) stateNow() enginev1.LineChanged_State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.GetState()
}

// item puts what happened into an item of this session. The caller holds the lock.
func (s *Session) item(what any) *enginev1.Item {
	item := &enginev1.Item{SessionId: s.id, Fence: s.fence}
	switch what := what.(type) {
	case *enginev1.LineChanged:
		item.What = &enginev1.Item_LineChanged{LineChanged: what}
	case *enginev1.PairingStep:
		item.What = &enginev1.Item_PairingStep{PairingStep: what}
	case *enginev1.MessageArrived:
		item.What = &enginev1.Item_MessageArrived{MessageArrived: what}
	case *enginev1.MessageUndecryptable:
		item.What = &enginev1.Item_MessageUndecryptable{MessageUndecryptable: what}
	case *enginev1.ReceiptArrived:
		item.What = &enginev1.Item_ReceiptArrived{ReceiptArrived: what}
	case *enginev1.NamesLearned:
		item.What = &enginev1.Item_NamesLearned{NamesLearned: what}
	case *enginev1.OfflineSync:
		item.What = &enginev1.Item_OfflineSync{OfflineSync: what}
	case *enginev1.ReachoutRestricted:
		item.What = &enginev1.Item_ReachoutRestricted{ReachoutRestricted: what}
	default:
		panic("no item is made of this")
	}
	return item
}

// newItem is item for who does not hold the lock.
func (s *Session) newItem(what any) *enginev1.Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.item(what)
}

// note says what happened, where nobody waits for it to be stored.
func (s *Session) note(what any) { s.house.Desk.Tell(s.newItem(what)) }
