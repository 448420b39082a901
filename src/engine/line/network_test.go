package line

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"go.mau.fi/whatsmeow/types"
	"golang.org/x/time/rate"

	"wagate.dev/src/engine/keystore"
	"wagate.dev/src/engine/lease"
)

// newLab is a TLS server on this machine that answers whatever it is called, and the network that leads there.
func newLab(t *testing.T) *Network {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		io.WriteString(out, "the lab, asked for "+request.Host) //nolint:errcheck // the test reads it
	}))
	t.Cleanup(server.Close)
	return &Network{
		Lab:          netip.MustParseAddrPort(server.Listener.Addr().String()),
		LabAuthority: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
		Connects:     rate.NewLimiter(rate.Inf, 1),
	}
}

func newLine(t *testing.T, network *Network) *Line {
	t.Helper()
	store, err := keystore.Open(context.Background(), t.TempDir()+"/keys.db", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	line := New(context.Background(), Options{
		Device: store.NewDevice(), Network: network, Lease: lease.New(lease.Now() + time.Hour), Log: slog.New(slog.DiscardHandler),
		Hear: func(*Line, any) Answer { return Said(true) }, Learned: func(types.JID, types.JID) {},
	})
	t.Cleanup(func() {
		line.Close()
		store.Close()
	})
	return line
}

// httpClients are all the HTTP clients of the line's whatsmeow client, found by their type, so that a new one is not missed.
func httpClients(line *Line) map[string]*http.Client {
	clients := make(map[string]*http.Client)
	fields := reflect.ValueOf(line.client).Elem()
	for i := range fields.NumField() {
		if fields.Field(i).Type() == reflect.TypeFor[*http.Client]() {
			name := fields.Type().Field(i).Name
			clients[name] = *(**http.Client)(unsafe.Pointer(fields.Field(i).UnsafeAddr()))
		}
	}
	return clients
}

func TestAnEngineThatSpeaksToALabDialsNothingElse(t *testing.T) {
	clients := httpClients(newLine(t, newLab(t)))
	if len(clients) != 3 {
		t.Fatalf("whatsmeow has the HTTP clients %v: this test knows of three", clients)
	}
	for name, client := range clients {
		for _, host := range []string{"example.com", "web.whatsapp.com", "192.0.2.1", "mmg.whatsapp.net"} {
			request, err := http.NewRequest(http.MethodGet, "https://"+host+"/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Host = host
			client.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com" // what the server's certificate says
			answer, err := client.Do(request)
			if err != nil {
				t.Errorf("%s, asking %s: %v", name, host, err)
				continue
			}
			said, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if string(said) != "the lab, asked for "+host {
				t.Errorf("%s, asking %s, was answered by %q", name, host, said)
			}
		}
	}
}

func TestWhatBelongsToNoLineCannotDialBesideALab(t *testing.T) {
	transport, resolver := http.DefaultTransport, net.DefaultResolver
	defer func() { http.DefaultTransport, net.DefaultResolver = transport, resolver }()
	SealProcess()
	if _, err := http.Get("http://127.0.0.1:9/"); !errors.Is(err, ErrElsewhere) {
		t.Errorf("the default client failed with %v", err)
	}
	if _, err := net.DefaultResolver.LookupHost(context.Background(), "host.invalid"); err == nil || !strings.Contains(err.Error(), ErrElsewhere.Error()) {
		t.Errorf("the default resolver failed with %v", err)
	}
	newLine(t, newLab(t)) // whatsmeow copies the default transport, and must not mind.
}

func TestLinesConnectNoFasterThanTheirRate(t *testing.T) {
	network := newLab(t)
	network.Connects = rate.NewLimiter(20, 1)
	began := time.Now()
	for range 3 {
		if err := newLine(t, network).Connect(); err == nil {
			t.Fatal("what speaks no WhatsApp shook hands")
		}
	}
	if took := time.Since(began); took < 2*time.Second/20 {
		t.Errorf("three lines connected in %s", took)
	}
}

func TestBesideALabNothingElsewhereIsDialled(t *testing.T) {
	lab := newLab(t)
	for address, allowed := range map[string]bool{
		"127.0.0.1:5432": true, "[::1]:5432": true, "192.0.2.1:5432": false, "[2001:db8::1]:443": false, "0.0.0.0:443": false,
	} {
		if err := lab.MayDial("tcp", address, nil); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := lab.MayDial("unix", "/run/postgresql/.s.PGSQL.5432", nil); err != nil {
		t.Errorf("a socket in a folder: %v", err)
	}
	if _, err := (&Network{Lab: netip.MustParseAddrPort("192.0.2.1:443")}).dial(t.Context(), "web.whatsapp.com:443", nil); !errors.Is(err, ErrElsewhere) {
		t.Errorf("a lab elsewhere: %v", err)
	}
	if err := (&Network{}).MayDial("tcp", "192.0.2.1:443", nil); err != nil {
		t.Errorf("without a lab: %v", err)
	}
}

func TestALabIsOnThisMachine(t *testing.T) {
	for address, allowed := range map[string]bool{
		"127.0.0.1:443": true, "127.9.9.9:1": true, "[::1]:443": true,
		"192.0.2.1:443": false, "0.0.0.0:443": false, "[::]:443": false, "10.0.0.1:443": false,
	} {
		network := &Network{Lab: netip.MustParseAddrPort(address)}
		if err := network.Check(); (err == nil) != allowed {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := (&Network{}).Check(); err != nil {
		t.Errorf("WhatsApp itself: %v", err)
	}
}

func TestBesideALabAProxyIsOnThisMachine(t *testing.T) {
	lab := newLab(t)
	for proxy, allowed := range map[string]bool{
		"": true, "socks5://127.0.0.1:1080": true, "http://[::1]:3128": true,
		"socks5://192.0.2.1:1080": false, "http://localhost:3128": false, "https://127.0.0.1:1": false, "://": false,
	} {
		if _, err := lab.ParseProxy(proxy); (err == nil) != allowed {
			t.Errorf("%q: %v", proxy, err)
		}
	}
	if _, err := (&Network{}).ParseProxy("socks5://user:word@proxy.example:1080"); err != nil {
		t.Errorf("without a lab: %v", err)
	}
}
