package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// short is a lease that runs out within a test, and not between two calls of it.
const short = time.Second

func (w *worker) renew(fence int64, remaining time.Duration) []string {
	w.t.Helper()
	answer, err := w.RenewLeases(within(w.t), &enginev1.RenewLeasesRequest{Leases: []*enginev1.Lease{
		{SessionId: shop, Fence: fence, Remaining: durationpb.New(remaining)},
	}})
	must(w.t, err)
	return answer.GetRefusedSessionIds()
}

// calls are all calls that prove a lease, with a fence.
func (w *worker) calls(fence int64) map[string]error {
	ctx := within(w.t)
	errs := make(map[string]error)
	sending := w.sending("3EB0", "900000000000001@lid", "hello")
	sending.Fence = fence
	_, errs["send"] = w.SendMessage(ctx, sending)
	_, errs["log out"] = w.LogoutSession(ctx, &enginev1.LogoutSessionRequest{SessionId: shop, Fence: fence})
	_, errs["pair"] = w.StartPairing(ctx, &enginev1.StartPairingRequest{SessionId: shop, Fence: fence, AttemptId: "p_1"})
	_, errs["cancel"] = w.CancelPairing(ctx, &enginev1.CancelPairingRequest{SessionId: shop, Fence: fence})
	_, errs["answer"] = w.AnswerPairingChallenge(ctx, &enginev1.AnswerPairingChallengeRequest{SessionId: shop, Fence: fence})
	_, errs["read"] = w.MarkMessagesRead(ctx, &enginev1.MarkMessagesReadRequest{SessionId: shop, Fence: fence})
	_, errs["check"] = w.CheckContacts(ctx, &enginev1.CheckContactsRequest{SessionId: shop, Fence: fence})
	return errs
}

func TestALowerFenceIsRefusedEverywhere(t *testing.T) {
	w := startWorker(t)
	_, err := w.OpenSession(within(t), w.opening(7, time.Hour))
	must(t, err)
	for call, err := range w.calls(6) {
		if reason(err) != "FENCE_STALE" || status.Code(err) != codes.FailedPrecondition {
			t.Errorf("%s: %v", call, err)
		}
	}
	_, err = w.OpenSession(within(t), w.opening(6, time.Hour))
	w.refuses("FENCE_STALE", err)
	_, err = w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 6})
	w.refuses("FENCE_STALE", err)
	if refused := w.renew(6, time.Hour); len(refused) != 1 || refused[0] != shop {
		t.Errorf("refused were %v", refused)
	}
	_, err = w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 7})
	must(t, err)
	_, err = w.OpenSession(within(t), w.opening(6, time.Hour))
	w.refuses("FENCE_STALE", err)
}

func TestASessionThatIsNotOpenIsRefusedEverywhere(t *testing.T) {
	w := startWorker(t)
	for call, err := range w.calls(1) {
		if reason(err) != "SESSION_NOT_OPEN" || status.Code(err) != codes.NotFound {
			t.Errorf("%s: %v", call, err)
		}
	}
	_, err := w.ResolveContacts(within(t), &enginev1.ResolveContactsRequest{SessionId: shop})
	w.refuses("SESSION_NOT_OPEN", err)
	if refused := w.renew(1, time.Hour); len(refused) != 1 {
		t.Errorf("refused were %v", refused)
	}
	_, err = w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 1})
	must(t, err)
}

func TestASessionWhoseLeaseRanOutIsClosed(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	if refused := w.renew(1, short); len(refused) != 0 {
		t.Fatalf("refused were %v", refused)
	}
	w.state(enginev1.LineChanged_STATE_CLOSED)
	for call, err := range w.calls(1) {
		if reason(err) != "LEASE_EXPIRED" || status.Code(err) != codes.FailedPrecondition {
			t.Errorf("%s: %v", call, err)
		}
	}
	if refused := w.renew(1, time.Hour); len(refused) != 1 {
		t.Errorf("refused were %v", refused)
	}
	eventually(t, "the socket is closed", func() bool { return !w.online(ours) })

	other := startWorker(t)
	opening := other.opening(2, time.Hour)
	opening.StorePath = w.opening(1, 0).GetStorePath()
	_, err := other.OpenSession(within(t), opening)
	must(t, err)
	other.state(enginev1.LineChanged_STATE_CONNECTED)
}

func (w *worker) online(phone string) bool {
	w.t.Helper()
	accounts, err := w.lab.ListAccounts(within(w.t), &labv1.ListAccountsRequest{})
	must(w.t, err)
	for _, account := range accounts.GetAccounts() {
		for _, device := range account.GetDevices() {
			if account.GetPhoneNumber() == phone && device.GetOnline() {
				return true
			}
		}
	}
	return false
}

func TestARenewedLeaseKeepsTheSessionOpen(t *testing.T) {
	w := startWorker(t)
	_, err := w.OpenSession(within(t), w.opening(1, time.Hour))
	must(t, err)
	for until := time.Now().Add(short * 3 / 2); time.Now().Before(until); {
		if refused := w.renew(1, short); len(refused) != 0 {
			t.Fatalf("refused were %v", refused)
		}
	}
	_, err = w.CancelPairing(within(t), &enginev1.CancelPairingRequest{SessionId: shop, Fence: 1})
	must(t, err)
}

func TestAHigherFenceTakesAnOpenSessionOver(t *testing.T) {
	w := startWorker(t)
	phone := w.pair()
	opened, err := w.OpenSession(within(t), w.opening(2, time.Hour))
	must(t, err)
	if opened.GetDevice().GetPhoneNumber() != phone {
		t.Fatalf("taken over was %v", opened.GetDevice())
	}
	told := next(w, "the line under the new fence", func(item *enginev1.Item) (*enginev1.Item, bool) { return item, item.GetFence() == 2 })
	if told.GetLineChanged().GetState() != enginev1.LineChanged_STATE_CONNECTED {
		t.Fatalf("told was %v", told)
	}
	_, err = w.SendMessage(within(t), w.sending("3EB0", "900000000000001@lid", "hello"))
	w.refuses("FENCE_STALE", err)
}

func TestAStoreIsHeldByOneEngine(t *testing.T) {
	w := startWorker(t)
	w.open()
	other := startWorker(t)
	opening := other.opening(1, time.Hour)
	opening.StorePath = w.opening(1, 0).GetStorePath()
	_, err := other.OpenSession(within(t), opening)
	other.refuses("STORE_LOCKED", err)
	if status.Code(err) != codes.Aborted {
		t.Errorf("the code is %s", status.Code(err))
	}
	_, err = w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 1})
	must(t, err)
	_, err = other.OpenSession(within(t), opening)
	must(t, err)
}

func TestACorruptStoreIsSaidToBeCorruptAndTouchesNoOther(t *testing.T) {
	w := startWorker(t)
	w.open()
	opening := w.opening(1, time.Hour)
	opening.Lease.SessionId, opening.StorePath = "broken", filepath.Join(w.folder, "broken.db")
	must(t, os.WriteFile(opening.StorePath, []byte("no database at all, and long enough for one to look twice at it"), 0o600))
	_, err := w.OpenSession(within(t), opening)
	w.refuses("STORE_CORRUPT", err)
	if status.Code(err) != codes.DataLoss {
		t.Errorf("the code is %s", status.Code(err))
	}
	if refused := w.renew(1, time.Hour); len(refused) != 0 {
		t.Errorf("the other session is not open any more")
	}
}
