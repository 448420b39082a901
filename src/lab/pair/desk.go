package pair

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/route"
)

// Times are the deadlines of linking.
type Times struct {
	Refs     int           // how many QR codes a client may show
	FirstRef time.Duration // how long the first one can be scanned
	NextRef  time.Duration // how long each further one
	Grace    time.Duration // how long a linked client has to reconnect by itself
}

// DefaultTimes are those of the real service, as clients expect them.
var DefaultTimes = Times{Refs: 6, FirstRef: 60 * time.Second, NextRef: 20 * time.Second, Grace: 20 * time.Second}

func (t Times) until(ref int) time.Duration { return t.FirstRef + time.Duration(ref)*t.NextRef }

// Desk knows the clients that wait to be linked.
type Desk struct {
	world  *model.World
	times  Times
	linked func(account *model.Account, number uint16)

	mu      sync.Mutex
	waiting []*Candidate // oldest first
}

// NewDesk makes a desk; linked is called for every device that was linked,
// before its client learns of it.
func NewDesk(world *model.World, times Times, linked func(*model.Account, uint16)) *Desk {
	return &Desk{world: world, times: times, linked: linked}
}

// Welcome offers a client its QR codes. The caller feeds the candidate what
// the client says, and calls Leave at the end.
func (d *Desk) Welcome(
	conn Conn, noise []byte, data *waWa6.ClientPayload_DevicePairingRegistrationData,
) (*Candidate, error) {
	if err := checkRegistration(data); err != nil {
		return nil, err
	}
	candidate := &Candidate{desk: d, conn: conn, noise: noise, registration: data, shown: time.Now()}
	refs := make([]waBinary.Node, d.times.Refs)
	for i := range refs {
		candidate.refs = append(candidate.refs, newRef())
		refs[i] = waBinary.Node{Tag: "ref", Content: []byte(candidate.refs[i])}
	}
	d.mu.Lock()
	d.waiting = append(d.waiting, candidate)
	d.mu.Unlock()
	conn.Send(waBinary.Node{
		Tag:     "iq",
		Attrs:   waBinary.Attrs{"from": types.ServerJID, "id": route.NewID(), "type": "set", "xmlns": "md"},
		Content: []waBinary.Node{{Tag: "pair-device", Content: refs}},
	})
	time.AfterFunc(d.times.until(d.times.Refs-1), func() { d.expire(candidate) })
	return candidate, nil
}

// Leave forgets a candidate whose connection ended.
func (d *Desk) Leave(candidate *Candidate) { d.forget(candidate) }

// expire closes the connection of a client whose last QR code has run out.
func (d *Desk) expire(candidate *Candidate) {
	if d.forget(candidate) {
		candidate.conn.Close()
	}
}

func (d *Desk) forget(candidate *Candidate) (known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, other := range d.waiting {
		if other == candidate {
			d.waiting = append(d.waiting[:i:i], d.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// find gives the newest candidate that matches.
func (d *Desk) find(matches func(*Candidate) bool) *Candidate {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := len(d.waiting) - 1; i >= 0; i-- {
		if matches(d.waiting[i]) {
			return d.waiting[i]
		}
	}
	return nil
}

// link offers an account to a candidate and waits for what becomes of it.
func (c *Candidate) linkTo(ctx context.Context, account *model.Account, secret []byte) (types.JID, error) {
	offered, err := c.offer(account, secret)
	if err != nil {
		return types.EmptyJID, err
	}
	select {
	case err = <-offered.outcome:
	case <-c.conn.Done():
		err = offered.atLast()
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return types.EmptyJID, err
	}
	return offered.jid(types.DefaultUserServer), nil
}

func newRef() string {
	random := make([]byte, 24)
	_, _ = rand.Read(random) // never fails: crypto/rand aborts the program instead
	return "2@" + base64.RawURLEncoding.EncodeToString(random)
}
