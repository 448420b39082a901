// Package server is a WhatsApp on localhost. Start one, create accounts, and
// let unmodified clients pair with them and chat:
//
//	lab, err := server.Start(ctx, server.Options{Address: "127.0.0.1:0", OraclePath: "oracle.jsonl"})
//	account, err := lab.CreateAccount("491700000001", "", "Ada", model.LIDWithPhone)
//	device, err := lab.ScanQR(ctx, "491700000001", qrText)
//
// A client reaches it by dialling lab.Address() instead of web.whatsapp.com,
// trusting lab.AuthorityPEM() for TLS and lab.RootKey() for the noise
// certificates. Every account has a device 0, the phone; it holds keys and
// answers scans, but reads nothing: what is addressed to it is dropped and
// counted. Errors of accounts and devices are those of package model, errors of
// pairing those of package pair.
//
// The methods, by what they are for:
//
//	Address RootKey RootKeyHex AuthorityPEM   what clients need to know
//	CreateAccount DeleteAccount SetName       who exists, and as whom they are seen
//	Phones Account Find Name ListDevices      the same, to read
//	ScanQR EnterCode RemoveDevice             what the phone does
//	CreateGroup ChangeMembers Group Groups    where many chat
//	Online AwaitOffline Connections           who is there
//	Dropped Unanswered Stanzas Oracle         what happened
//	SetFault SetDeviceFault HeldAcks          faults
//	Drop DropConnections SetClock             more of them
//	DrainPreKeys TakeMany                     what many others do at once
//	Ban LockReachout LiftRestrictions         what WhatsApp forbids for a time
//	NewWorld SaveWorld LoadWorld              all of it, as JSON
//	Close Done                                the end
package server

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/iq"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
	"wagate.dev/src/lab/pair"
	"wagate.dev/src/lab/route"
)

// chatPath is where clients open their websocket.
const chatPath = "/ws/chat"

// Server is a running lab. Its methods may be called from any goroutine.
type Server struct {
	options      Options
	world        *model.World
	oracle       *oracle.Log
	board        *route.Board
	desk         *pair.Desk
	iq           *iq.Router
	faults       *fault.Desk
	restrictions *fault.Restrictions
	clock        *clock
	ring         *ring
	trust        atomic.Pointer[trust]
	listener     net.Listener
	http         *http.Server
	ctx          context.Context
	cancel       context.CancelFunc
	door         sync.Mutex // shut before the last client is waited for
	clients      sync.WaitGroup
	open         atomic.Int64  // sockets that are open now
	logins       atomic.Uint64 // ever
	done         chan struct{}
}

// Start listens and serves until ctx ends or Close is called. It fails with
// *NotLoopback when the address is not a loopback one.
func Start(ctx context.Context, options Options) (*Server, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	world, err := openWorld(options.World)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", options.Address)
	if err != nil {
		return nil, err
	}
	log, err := oracle.Open(options.OraclePath, time.Now)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server := assemble(ctx, options, world, log, listener)
	if err = server.renewTrust(); err != nil {
		return nil, errors.Join(err, log.Close(), listener.Close())
	}
	go server.serve()
	return server, nil
}

// NewWorld makes an empty world with keys of its own, as SaveWorld would give
// it: for several labs that clients shall trust by the same keys.
func NewWorld() ([]byte, error) {
	world, err := openWorld(nil)
	if err != nil {
		return nil, err
	}
	return json.Marshal(world)
}

func openWorld(data []byte) (*model.World, error) {
	keys, err := newKeys()
	if err != nil {
		return nil, err
	}
	world := model.NewWorld(keys)
	if len(data) > 0 {
		if err = json.Unmarshal(data, world); err != nil {
			return nil, fmt.Errorf("the saved world: %w", err)
		}
	}
	return world, nil
}

func assemble(
	ctx context.Context, options Options, world *model.World, log *oracle.Log, listener net.Listener,
) *Server {
	s := &Server{
		options: options, world: world, oracle: log, listener: listener, clock: &clock{},
		board: route.NewBoard(world, log), faults: fault.NewDesk(),
		restrictions: fault.NewRestrictions(), ring: newRing(options.StanzasKept), done: make(chan struct{}),
	}
	world.Now = s.clock.now
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.desk = pair.NewDesk(world, options.Pairing, s.deviceLinked)
	s.iq = iq.NewRouter(s.board, s.deviceLoggedOut)
	s.iq.AnswerMex(lockQuery, s.lockNow)
	routes := http.NewServeMux()
	routes.HandleFunc(chatPath, s.accept)
	s.http = &http.Server{
		Handler: routes, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(options.Log.Handler(), slog.LevelDebug),
	}
	return s
}

func (s *Server) renewTrust() error {
	renewed, err := newTrust(s.world.Keys())
	if err != nil {
		return err
	}
	s.trust.Store(renewed)
	return nil
}

func (s *Server) serve() {
	defer close(s.done)
	stop := context.AfterFunc(s.ctx, func() { _ = s.http.Close() }) // Serve reports the same end
	defer stop()
	err := s.http.Serve(tls.NewListener(doorway{s.listener}, &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &s.trust.Load().certificate, nil
		},
	}))
	s.door.Lock()
	s.cancel()
	s.door.Unlock()
	s.clients.Wait()
	if !errors.Is(err, http.ErrServerClosed) {
		s.options.Log.Error("the lab stopped listening", "error", err)
	}
	if err = s.oracle.Close(); err != nil {
		s.options.Log.Error("the oracle did not close", "error", err)
	}
}

// Close ends all connections and waits until the oracle is on disk.
func (s *Server) Close() {
	s.cancel()
	<-s.done
}

// Done is closed when the server has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Address is where the server listens, as host:port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// RootKey is the public key that signs the noise certificates, 32 bytes.
func (s *Server) RootKey() []byte { return s.trust.Load().root }

// RootKeyHex is RootKey in hexadecimal.
func (s *Server) RootKeyHex() string { return hex.EncodeToString(s.RootKey()) }

// AuthorityPEM is the certificate that vouches for the server's TLS one.
func (s *Server) AuthorityPEM() []byte { return s.trust.Load().authority }

// Oracle is the log of what truly happened.
func (s *Server) Oracle() *oracle.Log { return s.oracle }
