package session

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/lease"
	"wagate.dev/src/engine/refusal"
)

// Registry knows the open sessions, and who may act for each: the holder of the highest fence seen, whose lease lasts.
type Registry struct {
	house *House

	mu       sync.Mutex
	sessions map[string]*Session
	highest  map[string]int64 // also of sessions that were closed: what comes late is refused
	opening  map[string]*turn
}

// NewRegistry makes a registry without sessions.
func NewRegistry(house *House) *Registry {
	return &Registry{
		house: house, sessions: make(map[string]*Session), highest: make(map[string]int64), opening: make(map[string]*turn),
	}
}

// Open opens a session, or takes an open one over. The lease counts from the given reading of lease.Now. It returns the
// device in the store, which may be one that the worker does not know of; nil if none is linked.
func (r *Registry) Open(ctx context.Context, request *enginev1.OpenSessionRequest, read time.Duration) (*enginev1.Device, error) {
	id, fence := request.GetLease().GetSessionId(), request.GetLease().GetFence()
	until := read + request.GetLease().GetRemaining().AsDuration()
	proxy, err := r.house.Network.ParseProxy(request.GetProxyUrl())
	if err != nil {
		return nil, refusal.Invalid("%s", err)
	}
	wished := wishes{placeOf(request), proxy, request.GetExpectedPhoneNumber(), request.GetPushName()}
	if id == "" || wished.place == (place{}) {
		return nil, refusal.Invalid("a session is opened by its id and the place of its keys")
	}
	defer r.alone(id)()
	if err := r.raise(id, fence); err != nil {
		return nil, err
	}
	if s := r.find(id); s != nil && s.takeOver(ctx, fence, until, wished) {
		return s.describeDevice(ctx)
	} else if s != nil {
		s.close()
		r.remove(s)
	}
	if lease.Now() >= until {
		return nil, refusal.LeaseExpired()
	}
	store, err := r.house.open(ctx, wished.place, id, fence)
	if err != nil {
		return nil, err
	}
	s := newSession(r.house, id, store, lease.New(until))
	s.begin(fence, wished, request.GetDevice().GetJid())
	r.add(s)
	return s.describeDevice(ctx)
}

// Acting finds the session for a caller with that fence, or says why it may not act.
func (r *Registry) Acting(id string, fence int64) (*Session, error) {
	if err := r.raise(id, fence); err != nil {
		return nil, err
	}
	s := r.find(id)
	switch {
	case s == nil:
		return nil, refusal.SessionNotOpen()
	case !s.lease.Holds():
		return nil, refusal.LeaseExpired()
	}
	return s, nil
}

// Find is the open session, for who looks and does not act; an error if it is not open.
func (r *Registry) Find(id string) (*Session, error) {
	if s := r.find(id); s != nil && s.lease.Holds() {
		return s, nil
	}
	return nil, refusal.SessionNotOpen()
}

// All are the sessions whose lease lasts.
func (r *Registry) All() (all []*Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sessions {
		if s.lease.Holds() {
			all = append(all, s)
		}
	}
	return all
}

// Renew lets a lease last until the given reading of lease.Now. It says false if the caller's fence is stale, or the
// session is not open, or its lease has run out.
func (r *Registry) Renew(id string, fence int64, until time.Duration) bool {
	s, err := r.Acting(id, fence)
	return err == nil && s.lease.Renew(until)
}

// Close closes a session. One that is not open is closed already.
func (r *Registry) Close(id string, fence int64) error {
	defer r.alone(id)()
	if err := r.raise(id, fence); err != nil {
		return err
	}
	if s := r.find(id); s != nil {
		s.close()
		r.remove(s)
	}
	return nil
}

// CloseAll closes every session that is open by now, all at once.
func (r *Registry) CloseAll() {
	r.mu.Lock()
	sessions := slices.Collect(maps.Values(r.sessions))
	r.mu.Unlock()
	var closing sync.WaitGroup
	for _, s := range sessions {
		closing.Go(s.close)
	}
	closing.Wait()
}

// turn lets one at a time open or close a session. It is forgotten when nobody has it or waits for it.
type turn struct {
	sync.Mutex
	wanted int
}

// alone makes the caller the only one to open or close this session, until it calls what is returned.
func (r *Registry) alone(id string) (done func()) {
	r.mu.Lock()
	mine := r.opening[id]
	if mine == nil {
		mine = &turn{}
		r.opening[id] = mine
	}
	mine.wanted++
	r.mu.Unlock()
	mine.Lock()
	return func() {
		mine.Unlock()
		r.mu.Lock()
		defer r.mu.Unlock()
		if mine.wanted--; mine.wanted == 0 {
			delete(r.opening, id)
		}
	}
}

// raise notes the fence, unless a higher one was seen.
func (r *Registry) raise(id string, fence int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if highest := r.highest[id]; fence < highest {
		return refusal.FenceStale(fence, highest)
	}
	r.highest[id] = fence
	return nil
}

func (r *Registry) find(id string) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions[id]
}

func (r *Registry) add(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions[s.id] = s
}

func (r *Registry) remove(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s.id)
}

func (s *Session) describeDevice(ctx context.Context) (*enginev1.Device, error) {
	device, err := s.device(ctx)
	if err != nil {
		return nil, err
	}
	return convert.Device(device), nil
}
