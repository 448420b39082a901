package labtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite" // the driver called "sqlite"
)

// Client is a whatsmeow client whose events a test can wait for.
type Client struct {
	*whatsmeow.Client
	t      testing.TB
	lab    *Lab
	events *inbox
	refuse refusals
}

// Client makes a client with a store of its own that is not linked yet.
func (l *Lab) Client() *Client {
	l.t.Helper()
	return l.Resume(newContainer(l.t).NewDevice())
}

// Resume makes a client for a device that may be linked already.
func (l *Lab) Resume(device *store.Device) *Client {
	l.t.Helper()
	client := &Client{
		Client: whatsmeow.NewClient(device, waLog.Noop), t: l.t, lab: l, events: newInbox(),
	}
	dial := l.HTTPClient()
	client.SetWebsocketHTTPClient(dial)
	client.SetPreLoginHTTPClient(dial)
	client.SetMediaHTTPClient(dial)
	client.SynchronousAck = true
	client.EnableDecryptedEventBuffer = true
	client.UseRetryMessageStore = true
	client.AddEventHandlerWithSuccessStatus(client.handle)
	l.t.Cleanup(client.Disconnect)
	return client
}

func (c *Client) handle(event any) bool {
	if message, ok := event.(*events.Message); ok && c.refuse.take(message) {
		return false
	}
	c.events.put(event)
	return true
}

// HTTPClient dials the lab whatever the address, and trusts its authority.
func (l *Lab) HTTPClient() *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(l.AuthorityPEM())
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, l.Address())
		},
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}}
}

func newContainer(t testing.TB) *sqlstore.Container {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	database, err := sql.Open("sqlite", "file:"+path+
		"?_txlock=immediate&_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	container := sqlstore.NewWithDB(database, "sqlite", waLog.Noop)
	if err = container.Upgrade(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := container.Close(); err != nil {
			t.Error(err)
		}
	})
	return container
}

// Pair links a new client to an account by QR and waits until it is usable.
func (l *Lab) Pair(phone string) *Client {
	l.t.Helper()
	client := l.Client()
	codes := client.Open()
	if _, err := l.ScanQR(l.ctx, phone, codes[0]); err != nil {
		l.t.Fatal(err)
	}
	Await[*events.PairSuccess](client)
	Await[*events.Connected](client)
	return client
}

// Open connects an unlinked client and returns the QR codes it shows.
func (c *Client) Open() []string {
	c.t.Helper()
	c.Dial()
	return Await[*events.QR](c).Codes
}

// Dial connects, which ends with the handshake; login comes later as an event.
func (c *Client) Dial() {
	c.t.Helper()
	if err := c.Connect(); err != nil {
		c.t.Fatal(err)
	}
}

// Reconnect connects a linked client and waits until it is usable.
func (c *Client) Reconnect() {
	c.t.Helper()
	c.Dial()
	Await[*events.Connected](c)
}

// Say sends a text and returns its message id.
func (c *Client) Say(to types.JID, text string) types.MessageID {
	c.t.Helper()
	sent, err := c.SendMessage(c.lab.ctx, to, &waE2E.Message{Conversation: proto.String(text)})
	if err != nil {
		c.t.Fatal(err)
	}
	return sent.ID
}

// Hear waits for the next message and returns it with its text.
func (c *Client) Hear() (*events.Message, string) {
	c.t.Helper()
	message := Await[*events.Message](c)
	return message, message.Message.GetConversation()
}

// PN is the address of an account by phone number.
func PN(phone string) types.JID { return types.NewJID(phone, types.DefaultUserServer) }
