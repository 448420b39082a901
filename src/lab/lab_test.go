package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// patience is how long anything in a test may take before it has failed.
const patience = time.Minute

// asLab in the environment turns this test program into the lab itself, so that
// every test has a process of its own to steer.
const asLab = "WAGATE_TEST_AS_LAB"

func TestMain(m *testing.M) {
	if os.Getenv(asLab) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lab is a lab process with a connection to its control API.
type lab struct {
	labv1.LabServiceClient
	t       *testing.T
	ctx     context.Context
	ready   ready
	process *exec.Cmd
	stdin   io.Closer
}

// command is the lab with some flags, not started yet.
func command(flags ...string) *exec.Cmd {
	process := exec.Command(os.Args[0], flags...)
	process.Env = append(os.Environ(), asLab+"=1")
	process.Stderr = os.Stderr
	return process
}

// start runs a lab until the test ends, or this process does.
func start(t *testing.T, flags ...string) *lab {
	t.Helper()
	process := command(append([]string{
		"-listen", "127.0.0.1:0", "-control", "127.0.0.1:0", "-data", t.TempDir(), "-exit-with-parent",
	}, flags...)...)
	stdin, err := process.StdinPipe()
	must(t, err)
	stdout, err := process.StdoutPipe()
	must(t, err)
	must(t, process.Start())
	started := &lab{t: t, process: process, stdin: stdin}
	t.Cleanup(started.stop)
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	must(t, err)
	must(t, json.Unmarshal(line, &started.ready))
	started.connect()
	return started
}

func (l *lab) connect() {
	l.t.Helper()
	connection, err := grpc.NewClient(l.ready.Control, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(l.t, err)
	l.t.Cleanup(func() { must(l.t, connection.Close()) })
	l.LabServiceClient = labv1.NewLabServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	l.t.Cleanup(cancel)
	l.ctx = ctx
}

// stop ends the lab as an operator would, and waits until it is gone. It may be
// called twice.
func (l *lab) stop() {
	if l.process.ProcessState != nil {
		return
	}
	must(l.t, l.process.Process.Signal(syscall.SIGTERM))
	must(l.t, l.process.Wait())
}

// recorded waits until the oracle has an entry that matches.
func (l *lab) recorded(matches func(*labv1.OracleEntry) bool) *labv1.OracleEntry {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.ctx, patience)
	defer cancel()
	watched, err := l.WatchOracle(ctx, &labv1.WatchOracleRequest{})
	must(l.t, err)
	for {
		response, err := watched.Recv()
		must(l.t, err)
		if matches(response.GetEntry()) {
			return response.GetEntry()
		}
	}
}

// log is all that the oracle has now.
func (l *lab) log() (entries []*labv1.OracleEntry) {
	l.t.Helper()
	watched, err := l.WatchOracle(l.ctx, &labv1.WatchOracleRequest{UntilNow: true})
	must(l.t, err)
	for {
		response, err := watched.Recv()
		if err == io.EOF {
			return entries
		}
		must(l.t, err)
		entries = append(entries, response.GetEntry())
	}
}

// device tells about the first device of an account.
func (l *lab) device(phone string) *labv1.Device {
	l.t.Helper()
	listed, err := l.ListAccounts(l.ctx, &labv1.ListAccountsRequest{})
	must(l.t, err)
	for _, account := range listed.GetAccounts() {
		if account.GetPhoneNumber() == phone {
			return account.GetDevices()[0]
		}
	}
	l.t.Fatalf("no account has the number %s", phone)
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, wanted T) {
	t.Helper()
	if got != wanted {
		t.Fatalf("%s is %v, not %v", what, got, wanted)
	}
}

// counted tells how many entries of a kind concern a message.
func (l *lab) counted(kind labv1.OracleEntry_Kind, id string) (count int) {
	l.t.Helper()
	for _, entry := range l.log() {
		if entry.GetKind() == kind && entry.GetProviderMessageId() == id {
			count++
		}
	}
	return count
}
