package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

// worker is what a test plays: the one that started an engine, follows it, and acts for sessions.
type worker struct {
	enginev1.EngineServiceClient
	t       *testing.T
	lab     *lab
	folder  string
	process *exec.Cmd
	stdin   io.Closer
	exited  chan error
	log     *safeBuffer
	items   chan *enginev1.Item
	fence   int64
	keys    *enginev1.KeyDatabase     // where the keys lie; nil means in files
	judge   func(*enginev1.Item) bool // says which items are stored; nil means all
	refused uint64                    // the run of items in which something was refused last
	holds   bool                      // answers are kept for later
	kept    []*enginev1.FollowRequest_Settlement
	follows enginev1.EngineService_FollowClient
	leave   context.CancelFunc
	mu      sync.Mutex
}

// hurried are flags for tests that must not wait as long as people do.
var hurried = []string{"--reconnect-first", "50ms", "--reconnect-most", "200ms"}

func startWorker(t *testing.T, flags ...string) *worker {
	t.Helper()
	w := startEngine(t, flags...)
	w.follow()
	return w
}

// startEngine starts an engine that nobody follows yet.
func startEngine(t *testing.T, flags ...string) *worker {
	t.Helper()
	lab := startedLab(t)
	w := &worker{t: t, lab: lab, fence: 1, folder: t.TempDir(), exited: make(chan error, 1), log: &safeBuffer{}}
	socket := filepath.Join(w.folder, "engine.sock")
	w.process = exec.Command(os.Args[0], append([]string{
		"--socket", socket, "--lab-address", lab.address, "--lab-root-key", lab.rootKey, "--lab-ca", lab.authority, "--log-level", "debug",
	}, append(hurried, flags...)...)...)
	w.process.Env = append(os.Environ(), asEngine+"=1")
	w.process.Stderr = w.log
	var err error
	w.stdin, err = w.process.StdinPipe()
	must(t, err)
	must(t, w.process.Start())
	go func() { w.exited <- w.process.Wait() }()
	t.Cleanup(w.end)
	w.awaitSocket(socket)
	connection, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() { connection.Close() })
	w.EngineServiceClient = enginev1.NewEngineServiceClient(connection)
	return w
}

func (w *worker) awaitSocket(path string) {
	w.t.Helper()
	eventually(w.t, "the engine listens", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
}

// eventually waits until something is the case.
func eventually(t *testing.T, what string, isCase func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !isCase() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it did not become true: %s", what)
		}
	}
}

func (w *worker) end() {
	w.stdin.Close()
	select {
	case <-w.exited:
	case <-time.After(patience):
		w.process.Process.Kill()
	}
	for _, trouble := range []string{"DATA RACE", "panicked", "panic: "} {
		if strings.Contains(w.log.String(), trouble) {
			w.t.Errorf("the engine's log tells of %q", trouble)
		}
	}
	if w.t.Failed() {
		w.t.Logf("the engine's log:\n%s", w.log.String())
	}
}

// follow takes what is told from now on. What is to be stored is stored, unless judge says no.
func (w *worker) follow() {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w.t.Cleanup(cancel)
	stream, err := w.Follow(ctx)
	must(w.t, err)
	must(w.t, stream.Send(&enginev1.FollowRequest{}))
	_, err = stream.Header()
	must(w.t, err)
	items := make(chan *enginev1.Item, 1000)
	w.items, w.follows, w.leave, w.refused = items, stream, cancel, 0
	go func() {
		defer close(items)
		for {
			told, err := stream.Recv()
			if err != nil {
				return
			}
			for _, item := range told.GetItems() {
				w.settle(stream, item)
				items <- item
			}
		}
	}()
}

// settle says what became of an item. After a refusal all of the same run is refused.
func (w *worker) settle(stream enginev1.EngineService_FollowClient, item *enginev1.Item) {
	w.mu.Lock()
	judge := w.judge
	w.mu.Unlock()
	if !item.GetAckRequired() {
		return
	}
	refused := item.GetRun() != 0 && item.GetRun() == w.refused || judge != nil && !judge(item)
	if refused {
		w.refused = item.GetRun()
	}
	w.answer(stream, &enginev1.FollowRequest_Settlement{ItemId: item.GetItemId(), Refused: refused})
}

func (w *worker) answer(stream enginev1.EngineService_FollowClient, answer *enginev1.FollowRequest_Settlement) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holds {
		w.kept = append(w.kept, answer)
		return
	}
	stream.Send(&enginev1.FollowRequest{Settlements: []*enginev1.FollowRequest_Settlement{answer}}) //nolint:errcheck // a lost stream is seen elsewhere
}

// holding keeps all answers until it is released.
func (w *worker) holding() (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds = true
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.follows.Send(&enginev1.FollowRequest{Settlements: w.kept}) //nolint:errcheck // a lost stream is seen elsewhere
		w.holds, w.kept = false, nil
	}
}

// judging settles what comes from now on as judge says; nil stores everything.
func (w *worker) judging(judge func(*enginev1.Item) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judge = judge
}

// next waits for the next item of which pick finds something, and returns what it found. Others are passed over.
func next[T any](w *worker, wanted string, pick func(*enginev1.Item) (T, bool)) T {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case item, ok := <-w.items:
			if !ok {
				w.t.Fatalf("the stream ended before %s came", wanted)
			}
			if found, ok := pick(item); ok {
				return found
			}
		case <-deadline:
			w.t.Fatalf("%s did not come", wanted)
		}
	}
}

func (w *worker) state(wanted enginev1.LineChanged_State) *enginev1.LineChanged {
	w.t.Helper()
	return next(w, wanted.String(), func(item *enginev1.Item) (*enginev1.LineChanged, bool) {
		return item.GetLineChanged(), item.GetLineChanged().GetState() == wanted && item.GetLineChanged() != nil
	})
}

func (w *worker) message() *enginev1.MessageArrived {
	w.t.Helper()
	return next(w, "a message", func(item *enginev1.Item) (*enginev1.MessageArrived, bool) {
		return item.GetMessageArrived(), item.GetMessageArrived() != nil
	})
}

func (w *worker) receipt(kind enginev1.ReceiptArrived_Kind) *enginev1.ReceiptArrived {
	w.t.Helper()
	return next(w, kind.String(), func(item *enginev1.Item) (*enginev1.ReceiptArrived, bool) {
		return item.GetReceiptArrived(), item.GetReceiptArrived().GetKind() == kind && item.GetReceiptArrived() != nil
	})
}

func (w *worker) step() *enginev1.PairingStep {
	w.t.Helper()
	return next(w, "a pairing step", func(item *enginev1.Item) (*enginev1.PairingStep, bool) {
		return item.GetPairingStep(), item.GetPairingStep() != nil
	})
}

const shop = "shop"

func (w *worker) opening(fence int64, remaining time.Duration) *enginev1.OpenSessionRequest {
	return &enginev1.OpenSessionRequest{
		Lease:     &enginev1.Lease{SessionId: shop, Fence: fence, Remaining: durationpb.New(remaining)},
		StorePath: filepath.Join(w.folder, "sessions", shop, "keys.db"),
		Database:  w.keys,
		PushName:  "Shop",
	}
}

func (w *worker) open() *enginev1.OpenSessionResponse {
	w.t.Helper()
	opened, err := w.OpenSession(within(w.t), w.opening(w.fence, time.Hour))
	must(w.t, err)
	return opened
}

// pair links the session to a new account by QR, and returns the account's number once the line is up.
func (w *worker) pair() string {
	w.t.Helper()
	account := w.lab.account(w.t)
	w.open()
	w.link(account.GetPhoneNumber())
	return account.GetPhoneNumber()
}

func (w *worker) link(phone string) *enginev1.Device {
	w.t.Helper()
	_, err := w.StartPairing(within(w.t), &enginev1.StartPairingRequest{SessionId: shop, Fence: w.fence, AttemptId: "p_1"})
	must(w.t, err)
	w.scan(phone, w.step().GetCode().GetText())
	linked := w.step().GetLinked()
	if linked == nil {
		w.t.Fatal("the device was not linked")
	}
	w.state(enginev1.LineChanged_STATE_CONNECTED)
	return linked
}

func (w *worker) send(id, to, text string) *enginev1.SendMessageResponse {
	w.t.Helper()
	answer, err := w.SendMessage(within(w.t), w.sending(id, to, text))
	must(w.t, err)
	return answer
}

func (w *worker) sending(id, to, text string) *enginev1.SendMessageRequest {
	return &enginev1.SendMessageRequest{
		SessionId: shop, Fence: w.fence, ProviderMessageId: id, ToJid: to,
		Content: &wagatev1.Content{Body: &wagatev1.Content_Text{Text: &wagatev1.Text{Text: text}}},
	}
}

func reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == "engine.wagate.dev" {
			return info.GetReason()
		}
	}
	return ""
}

func (w *worker) refuses(wanted string, err error) {
	w.t.Helper()
	if err == nil || reason(err) != wanted {
		w.t.Fatalf("it was not refused with %s: %v", wanted, err)
	}
}

func (w *worker) exits(within time.Duration) {
	w.t.Helper()
	select {
	case err := <-w.exited:
		w.exited <- err
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			w.t.Fatalf("the engine failed: %v", err)
		}
	case <-time.After(within):
		w.t.Fatalf("the engine had not left after %s", within)
	}
}

// safeBuffer is a buffer that is read while it is written.
type safeBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *safeBuffer) Write(bytes []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(bytes)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
