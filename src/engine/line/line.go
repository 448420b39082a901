package line

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"wagate.dev/src/engine/logs"
	"wagate.dev/src/engine/ratchet"
)

const (
	parallelRetries   = 4
	errorTokenRefresh = "WhatsApp asked for a token that only Messenger has"
)

// Options say whose line it is, and who listens.
type Options struct {
	// Device is who logs in. One without an ID is paired instead.
	Device  *store.Device
	Network *Network
	// Proxy comes from Network.ParseProxy; nil means none.
	Proxy *url.URL
	Lease Lease
	Log   *slog.Logger
	// Hear is told everything that whatsmeow tells, in whatsmeow's order. It may wait; answers to what the line asks arrive
	// meanwhile. A message may be told before the answers to those before it are known.
	Hear func(*Line, any) Answer
	// Crowded says whether so much waits for the worker that nothing should be told ahead. Nobody asks while pairing.
	Crowded func() bool
	// Learned is told each new pair of names of one person.
	Learned func(lid, phone types.JID)
	// StoreFailed is told, once, why the line had to end: the store cannot be read or written.
	StoreFailed func(error)
	// MayLink is asked before another account is linked.
	MayLink func(types.JID) bool
}

// Line is one connection to WhatsApp, from dialling to its end; it is never used again. Each has a whatsmeow client of its
// own, so that nothing an earlier connection left behind can speak in its name. What whatsmeow keeps in mind of people,
// groups and retries has no bound of its own: it ends with the line.
type Line struct {
	options    Options
	client     *whatsmeow.Client
	toWhatsApp *http.Client
	stanzas    *stanzas
	ahead      *ahead
	gate       *gate // nil while pairing: nothing is decrypted then
	departures *departures
	sendTurn   chan struct{}

	ctx    context.Context
	cancel context.CancelFunc
	gone   chan struct{}
	once   sync.Once

	mu        sync.Mutex
	conns     []*leasedConn
	lastHeard time.Time
}

// New prepares a line; Connect opens it. Close it in any case.
func New(ctx context.Context, options Options) *Line {
	l := &Line{
		options:    options,
		departures: &departures{awaited: make(map[string]bool)},
		sendTurn:   make(chan struct{}, 1),
		gone:       make(chan struct{}),
		stanzas:    newStanzas(),
	}
	l.ahead = newAhead(l)
	l.ctx, l.cancel = context.WithCancel(ctx)
	if options.Device.ID != nil {
		l.gate = &gate{EventBuffer: options.Device.EventBuffer, storeFailed: l.storeFailed}
		options.Device.PreKeys = preKeys{options.Device.PreKeys, options.Device.EventBuffer}
		options.Device.EventBuffer = l.gate
		ratchet.Guard(options.Device)
		options.Device.LIDs = names{options.Device.LIDs, options.Learned}
	}
	l.client = l.newClient()
	return l
}

func (l *Line) newClient() *whatsmeow.Client {
	client := whatsmeow.NewClient(l.options.Device, logger{logs.ForWhatsmeow(l.options.Log), l.departures})
	client.BackgroundEventCtx = l.ctx
	client.EnableAutoReconnect = false
	client.DisableLoginAutoReconnect = true
	client.SynchronousAck = true
	client.EnableDecryptedEventBuffer = true
	client.UseRetryMessageStore = true
	client.ManualHistorySyncDownload = true
	client.DisableManualHistorySyncReceipt = true
	client.SetForceActiveDeliveryReceipts(true)
	client.SetMaxParallelRetryReceiptHandling(parallelRetries)
	client.RefreshCAT = func(context.Context) error { return errors.New(errorTokenRefresh) }
	client.PrePairCallback = func(account types.JID, _, _ string) bool { return l.mayLink(account) }
	client.AddEventHandlerWithSuccessStatus(l.hear)

	l.toWhatsApp = &http.Client{Transport: l.options.Network.transport(l.options.Proxy, l.wrapMain)}
	client.SetWebsocketHTTPClient(l.toWhatsApp)
	client.SetPreLoginHTTPClient(l.toWhatsApp)
	client.SetMediaHTTPClient(&http.Client{Transport: l.options.Network.transport(l.options.Proxy, l.wrap)})
	return client
}

// Gone is closed when the connection is.
func (l *Line) Gone() <-chan struct{} { return l.gone }

// Shut ends the line at once: nothing that arrives from now on is confirmed to WhatsApp. It does not wait, and may be
// called by who hears.
func (l *Line) Shut() {
	if l.gate != nil {
		l.gate.close()
	}
	l.once.Do(func() { close(l.gone) })
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.conns {
		conn.Close()
	}
}

// Close ends the line, and returns when nothing of it touches the store any more. whatsmeow's own Disconnect is not
// called: if WhatsApp closes at the same moment it can end the process.
func (l *Line) Close() {
	l.Shut()
	if l.gate != nil {
		l.gate.wait()
	}
}

// IsGone says whether the line has ended.
func (l *Line) IsGone() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// wrap leases a connection to the line.
func (l *Line) wrap(raw net.Conn) net.Conn {
	return l.adopt(newLeasedConn(raw, l.options.Lease, func() {}, func() bool { return true }))
}

// wrapMain leases the connection whose end is the line's end.
func (l *Line) wrapMain(raw net.Conn) net.Conn {
	conn := l.adopt(newLeasedConn(raw, l.options.Lease, l.heard, l.stanzas.mayRead))
	l.heard()
	go func() {
		<-conn.closed
		l.Shut()
	}()
	return conn
}

func (l *Line) adopt(conn *leasedConn) *leasedConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.IsGone() {
		conn.Close()
	}
	l.conns = append(slices.DeleteFunc(l.conns, (*leasedConn).isClosed), conn)
	return conn
}

func (l *Line) heard() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastHeard = time.Now()
}

// HeldBack says whether, not longer ago than this, the line did not read what WhatsApp sent, as too much waits already.
// Then it is no wonder that pings go unanswered.
func (l *Line) HeldBack(span time.Duration) bool { return l.stanzas.heldWithin(span) }

// SilentFor is how long nothing has come in, not even the answer to a ping.
func (l *Line) SilentFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.lastHeard)
}
