package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/engine/postgrestest"
	"wagate.dev/src/lab/control"
	"wagate.dev/src/lab/world"
)

// patience is how long anything in a test may take before it has failed.
const patience = time.Minute

// asEngine in the environment turns this test program into the engine itself, so that every test has a process of its own.
const asEngine = "WAGATE_TEST_AS_ENGINE"

func TestMain(m *testing.M) {
	if os.Getenv(asEngine) != "" {
		main()
		return
	}
	code := m.Run()
	postgrestest.Stop()
	if theLab.close != nil {
		theLab.close()
	}
	os.Exit(code)
}

// lab is a WhatsApp on this machine. All tests share one, and make accounts of their own in it.
type lab struct {
	labv1.LabServiceClient
	address, rootKey, authority string
}

var theLab struct {
	once  sync.Once
	lab   *lab
	close func()
	err   error
}

func startedLab(t *testing.T) *lab {
	t.Helper()
	theLab.once.Do(func() { theLab.lab, theLab.close, theLab.err = startLab() })
	must(t, theLab.err)
	return theLab.lab
}

func startLab() (*lab, func(), error) {
	data, err := os.MkdirTemp("", "wagate-engine-test-")
	if err != nil {
		return nil, nil, err
	}
	opened, err := world.Open(context.Background(), world.Options{
		Address: "127.0.0.1:0", Data: data, Log: slog.New(slog.DiscardHandler), ClientLog: waLog.Noop,
	})
	if err != nil {
		return nil, nil, err
	}
	listener, err := control.Listen("unix:" + filepath.Join(data, "control.sock"))
	if err != nil {
		return nil, nil, err
	}
	service := control.New(opened)
	go service.Serve(listener) //nolint:errcheck // it ends with close
	connection, err := grpc.NewClient("unix:"+filepath.Join(data, "control.sock"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, err
	}
	authority := filepath.Join(data, "authority.pem")
	if err := os.WriteFile(authority, opened.Server.AuthorityPEM(), 0o600); err != nil {
		return nil, nil, err
	}
	started := &lab{labv1.NewLabServiceClient(connection), opened.Server.Address(), hex.EncodeToString(opened.Server.RootKey()), authority}
	return started, func() {
		service.Close(time.Second)
		if err := opened.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "closing the lab:", err)
		}
		os.RemoveAll(data)
	}, nil
}

// person is a contact in the lab.
type person struct {
	lab        *lab
	id         string
	phone, lid string
	inbox      grpc.ServerStreamingClient[labv1.WatchInboxResponse]
}

func (l *lab) person(t *testing.T, request *labv1.CreatePersonRequest) *person {
	t.Helper()
	created, err := l.CreatePerson(within(t), request)
	must(t, err)
	p := &person{lab: l, id: created.GetPersonId(), phone: created.GetAccount().GetPhoneNumber(), lid: created.GetAccount().GetLid()}
	p.inbox, err = l.WatchInbox(within(t), &labv1.WatchInboxRequest{PersonId: p.id})
	must(t, err)
	return p
}

func (l *lab) account(t *testing.T) *labv1.Account {
	t.Helper()
	created, err := l.CreateAccount(within(t), &labv1.CreateAccountRequest{PushName: "Shop"})
	must(t, err)
	return created.GetAccount()
}

func (p *person) say(t *testing.T, to, text string) string {
	t.Helper()
	said, err := p.lab.Say(within(t), &labv1.SayRequest{PersonId: p.id, To: to, What: &labv1.SayRequest_Text{Text: text}})
	must(t, err)
	return said.GetProviderMessageId()
}

func (p *person) hears(t *testing.T) *labv1.WatchInboxResponse {
	t.Helper()
	heard, err := p.inbox.Recv()
	must(t, err)
	return heard
}

// goes on or off line.
func (p *person) goes(t *testing.T, online bool) {
	t.Helper()
	_, err := p.lab.SetOnline(within(t), &labv1.SetOnlineRequest{PersonId: p.id, Online: online})
	must(t, err)
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func jidOf(phone string) string { return strings.TrimPrefix(phone, "+") + "@s.whatsapp.net" }

func userOf(jid string) string { return jid[:strings.IndexByte(jid, '@')] }

func (w *worker) fault(phone string, fault *labv1.SetFaultRequest_Fault) {
	w.t.Helper()
	_, err := w.lab.SetFault(within(w.t), &labv1.SetFaultRequest{PhoneNumber: phone, Fault: fault})
	must(w.t, err)
}

func (w *worker) drop(phone string) {
	w.t.Helper()
	_, err := w.lab.DropConnections(within(w.t), &labv1.DropConnectionsRequest{PhoneNumber: phone})
	must(w.t, err)
}

// recorded says whether the oracle holds an entry that matches.
func (l *lab) recorded(t *testing.T, matches func(*labv1.OracleEntry) bool) bool {
	t.Helper()
	entries, err := l.WatchOracle(within(t), &labv1.WatchOracleRequest{UntilNow: true})
	must(t, err)
	for {
		told, err := entries.Recv()
		if err == io.EOF {
			return false
		}
		must(t, err)
		if matches(told.GetEntry()) {
			return true
		}
	}
}

// records waits until the oracle holds an entry that matches.
func (l *lab) records(t *testing.T, matches func(*labv1.OracleEntry) bool) {
	t.Helper()
	eventually(t, "the oracle holds the entry", func() bool { return l.recorded(t, matches) })
}
