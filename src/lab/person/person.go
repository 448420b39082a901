// Package person plays the people inside a lab. Each person is an unmodified
// client, linked over the real socket to an account of the lab, with a store of
// its own; it says what it is told to say and remembers what it received.
package person

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.mau.fi/util/exsync"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"

	"wagate.dev/src/engine/ratchet"
)

var (
	// ErrOffline tells that a person is not connected.
	ErrOffline = errors.New("is offline")
	// ErrUnlinked tells that a person's device was removed from its account.
	ErrUnlinked = errors.New("was unlinked from its account")
	// ErrNotConnected tells that a person could not connect in time.
	ErrNotConnected = errors.New("could not connect to the lab")
)

// patience is how long a person waits for the lab to answer.
const patience = 20 * time.Second

// slowestReconnect is how many failures in a row make a person wait longer, by
// two seconds each.
const slowestReconnect = 1

// Person is one contact. Its fields never change.
type Person struct {
	ID, Phone, Name string
	Device          uint16
	Inbox           *Inbox

	client    *whatsmeow.Client
	store     *store
	log       waLog.Logger
	connected *exsync.Event
}

// start gives the person its client, not connected yet.
func (p *Person) start(ctx context.Context, transport http.RoundTripper) error {
	device, err := p.store.container.GetFirstDevice(ctx)
	if err != nil {
		return err
	}
	device.PushName = p.Name
	if device.ID != nil {
		ratchet.Guard(device) // a phone never loses its place, however much it says and hears at once
	}
	p.connected = exsync.NewEvent()
	p.client = whatsmeow.NewClient(device, p.log)
	p.client.BackgroundEventCtx = ctx
	p.client.SetPreLoginHTTPClient(&http.Client{Transport: transport})
	p.client.SetWebsocketHTTPClient(&http.Client{Transport: transport})
	p.client.SetMediaHTTPClient(&http.Client{Transport: transport})
	p.client.SetForceActiveDeliveryReceipts(true)
	p.client.SynchronousAck = true
	p.client.EnableDecryptedEventBuffer = true
	p.client.UseRetryMessageStore = true
	p.client.AutoReconnectHook = func(error) bool {
		p.client.AutoReconnectErrors = min(p.client.AutoReconnectErrors, slowestReconnect)
		return true
	}
	p.client.AddEventHandlerWithSuccessStatus(func(event any) bool { return p.take(ctx, event) })
	return nil
}

// take handles what the client tells. False leaves a message unconfirmed.
func (p *Person) take(ctx context.Context, event any) bool {
	switch event := event.(type) {
	case *events.PairSuccess:
		ratchet.Guard(p.client.Store) // which has just become one that keeps something
	case *events.Connected:
		p.connected.Set()
	case *events.Disconnected, *events.StreamReplaced, *events.StreamError, *events.LoggedOut:
		p.connected.Clear()
	case *events.Message:
		if err := p.remember(ctx, event); err != nil {
			p.log.Errorf("%s could not keep message %s: %v", p.ID, event.Info.ID, err)
			return false
		}
	}
	return true
}

func (p *Person) remember(ctx context.Context, message *events.Message) error {
	if carriesKeysOnly(message) {
		return nil
	}
	entry, err := entryOf(message)
	if err != nil {
		return err
	}
	return p.Inbox.add(ctx, entry)
}

// GoOnline connects the person and returns once it is logged in.
func (p *Person) GoOnline(ctx context.Context) error {
	if p.client.Store.ID == nil {
		return fmt.Errorf("%s %w", p.ID, ErrUnlinked)
	}
	if p.online() {
		return nil
	}
	p.GoOffline() // from a socket on which it was refused, if it is not closed yet
	if err := p.client.Connect(); err != nil {
		return fmt.Errorf("%s %w: %w", p.ID, ErrNotConnected, err)
	}
	err := p.connected.WaitTimeoutCtx(ctx, patience)
	if ctx.Err() != nil {
		return ctx.Err() // whoever asked does not wait any more
	}
	if err != nil {
		return fmt.Errorf("%s %w: %w", p.ID, ErrNotConnected, err)
	}
	return nil
}

// GoOffline disconnects the person. It stays so until GoOnline.
func (p *Person) GoOffline() {
	p.client.Disconnect()
	p.connected.Clear()
}

func (p *Person) online() bool { return p.client.IsConnected() && p.connected.IsSet() }

// ready tells whether the person can speak.
func (p *Person) ready() error {
	switch {
	case p.client.Store.ID == nil:
		return fmt.Errorf("%s %w", p.ID, ErrUnlinked)
	case !p.online():
		return fmt.Errorf("%s %w", p.ID, ErrOffline)
	}
	return nil
}

// Forget deletes the encryption sessions with all devices behind some names of
// one peer. What comes from there next cannot be read and is asked for again.
func (p *Person) Forget(ctx context.Context, names ...types.JID) error {
	for _, name := range names {
		if err := p.client.Store.Sessions.DeleteAllSessions(ctx, name.SignalAddressUser()); err != nil {
			return err
		}
	}
	return nil
}

func (p *Person) close() error {
	p.client.Disconnect()
	return p.store.close()
}
