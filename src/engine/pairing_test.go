package main

import (
	"strings"
	"testing"
	"time"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

func (w *worker) startPairing(attempt, phone string) {
	w.t.Helper()
	_, err := w.StartPairing(within(w.t), &enginev1.StartPairingRequest{
		SessionId: shop, Fence: 1, AttemptId: attempt, PhoneNumber: phone,
	})
	must(w.t, err)
}

func (w *worker) scan(phone, qr string) {
	w.t.Helper()
	_, err := w.lab.ScanQr(within(w.t), &labv1.ScanQrRequest{PhoneNumber: phone, QrText: qr})
	must(w.t, err)
}

func (w *worker) fails(attempt string, wanted wagatev1.ErrorReason) {
	w.t.Helper()
	if step := w.step(); step.GetAttemptId() != attempt || step.GetFailed().GetReason() != wanted {
		w.t.Fatalf("the attempt did not fail with %s: %v", wanted, step)
	}
}

func TestASessionIsPairedByQR(t *testing.T) {
	w := startWorker(t)
	account := w.lab.account(t)
	if opened := w.open(); opened.GetDevice() != nil {
		t.Fatalf("a new session has a device: %v", opened.GetDevice())
	}
	w.state(enginev1.LineChanged_STATE_UNLINKED)
	w.startPairing("p_1", "")
	code := w.step().GetCode()
	if life := time.Until(code.GetExpireTime().AsTime()); life < 15*time.Second || life > 60*time.Second || code.GetCodesLeft() < 1 {
		t.Fatalf("the first code is %v", code)
	}
	w.scan(account.GetPhoneNumber(), code.GetText())
	linked := w.step().GetLinked()
	if linked.GetPhoneNumber() != account.GetPhoneNumber() || linked.GetLid() != account.GetLid() || linked.GetPushName() != "Shop" {
		t.Fatalf("linked was %v, not %v", linked, account)
	}
	if up := w.state(enginev1.LineChanged_STATE_CONNECTED); up.GetDevice().GetJid() != linked.GetJid() {
		t.Fatalf("connected was %v", up.GetDevice())
	}
}

func TestASessionIsPairedByCode(t *testing.T) {
	w := startWorker(t)
	account := w.lab.account(t)
	w.open()
	w.startPairing("p_1", account.GetPhoneNumber())
	code := w.step().GetCode()
	if len(code.GetText()) != 9 || code.GetText()[4] != '-' || code.GetCodesLeft() != 0 {
		t.Fatalf("the code is %v", code)
	}
	wrong := &labv1.EnterPairingCodeRequest{PhoneNumber: account.GetPhoneNumber(), Code: "1111-1111"}
	if _, err := w.lab.EnterPairingCode(within(t), wrong); err == nil {
		t.Fatal("a wrong code was taken")
	}
	_, err := w.lab.EnterPairingCode(within(t), &labv1.EnterPairingCodeRequest{PhoneNumber: account.GetPhoneNumber(), Code: code.GetText()})
	must(t, err)
	if linked := w.step().GetLinked(); linked.GetPhoneNumber() != account.GetPhoneNumber() {
		t.Fatalf("linked was %v", linked)
	}
	w.state(enginev1.LineChanged_STATE_CONNECTED)
}

func TestAnotherNumberThanTheExpectedIsRefused(t *testing.T) {
	w := startWorker(t)
	account := w.lab.account(t)
	opening := w.opening(1, time.Hour)
	opening.ExpectedPhoneNumber = "+4915100000001"
	_, err := w.OpenSession(within(t), opening)
	must(t, err)
	w.startPairing("p_1", "")
	w.lab.ScanQr(within(t), &labv1.ScanQrRequest{PhoneNumber: account.GetPhoneNumber(), QrText: w.step().GetCode().GetText()}) //nolint:errcheck // refused there too
	w.fails("p_1", wagatev1.ErrorReason_ERROR_REASON_PAIRED_WRONG_ACCOUNT)
	if opened := w.open(); opened.GetDevice() != nil {
		t.Fatalf("it was linked: %v", opened.GetDevice())
	}
}

func TestAPairingAttemptIsCanceledAndSuperseded(t *testing.T) {
	w := startWorker(t)
	w.open()
	w.startPairing("p_1", "")
	w.step()
	w.startPairing("p_2", "")
	w.fails("p_1", wagatev1.ErrorReason_ERROR_REASON_PAIRING_SUPERSEDED)
	if step := w.step(); step.GetAttemptId() != "p_2" || step.GetCode() == nil {
		t.Fatalf("the second attempt began with %v", step)
	}
	_, err := w.CancelPairing(within(t), &enginev1.CancelPairingRequest{SessionId: shop, Fence: 1})
	must(t, err)
	w.fails("p_2", wagatev1.ErrorReason_ERROR_REASON_PAIRING_CANCELED)
	_, err = w.CancelPairing(within(t), &enginev1.CancelPairingRequest{SessionId: shop, Fence: 1})
	must(t, err)
}

func TestADeviceThatTheWorkerDoesNotStoreIsNotLinked(t *testing.T) {
	w := startWorker(t)
	account := w.lab.account(t)
	w.open()
	w.judging(func(item *enginev1.Item) bool { return item.GetPairingStep().GetLinked() == nil })
	w.startPairing("p_1", "")
	w.lab.ScanQr(within(t), &labv1.ScanQrRequest{PhoneNumber: account.GetPhoneNumber(), QrText: w.step().GetCode().GetText()}) //nolint:errcheck // refused there too
	if w.step().GetLinked() == nil {
		t.Fatal("the worker was not asked")
	}
	w.fails("p_1", wagatev1.ErrorReason_ERROR_REASON_PAIRING_FAILED)
	if opened := w.open(); opened.GetDevice() != nil {
		t.Fatalf("it was linked: %v", opened.GetDevice())
	}
}

func TestALinkedSessionIsNotPairedAgain(t *testing.T) {
	w := startWorker(t)
	w.pair()
	_, err := w.StartPairing(within(t), &enginev1.StartPairingRequest{SessionId: shop, Fence: 1, AttemptId: "p_2"})
	w.refuses("ALREADY_LINKED", err)
}

func TestAnAnswerToNoQuestionIsRefused(t *testing.T) {
	w := startWorker(t)
	w.open()
	for _, answer := range []*enginev1.AnswerPairingChallengeRequest{
		{Answer: &enginev1.AnswerPairingChallengeRequest_CodesAgree{CodesAgree: true}},
		{Answer: &enginev1.AnswerPairingChallengeRequest_WebauthnResponseJson{WebauthnResponseJson: "{}"}},
	} {
		answer.SessionId, answer.Fence, answer.AttemptId = shop, 1, "p_1"
		_, err := w.AnswerPairingChallenge(within(t), answer)
		w.refuses("NO_SUCH_CHALLENGE", err)
	}
}

func TestADeviceThatTheWorkerDoesNotKnowIsAdopted(t *testing.T) {
	w := startWorker(t)
	phone := w.pair()
	_, err := w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 1})
	must(t, err)
	w.state(enginev1.LineChanged_STATE_CLOSED)
	if opened := w.open(); opened.GetDevice().GetPhoneNumber() != phone {
		t.Fatalf("adopted was %v", opened.GetDevice())
	}
	w.state(enginev1.LineChanged_STATE_CONNECTED)
}

func TestADeviceWhoseKeysAreMissingIsLoggedOut(t *testing.T) {
	w := startWorker(t)
	opening := w.opening(1, time.Hour)
	opening.Device = &enginev1.Device{Jid: "4915112345678:7@s.whatsapp.net"}
	opened, err := w.OpenSession(within(t), opening)
	must(t, err)
	if opened.GetDevice() != nil {
		t.Fatalf("found was %v", opened.GetDevice())
	}
	if out := w.state(enginev1.LineChanged_STATE_LOGGED_OUT); !strings.Contains(out.GetFailure().GetMessage(), "missing") {
		t.Fatalf("it is logged out because: %v", out.GetFailure())
	}
}

func TestAPhoneUnlinksTheSessionWhichIsThenPairedAgain(t *testing.T) {
	w := startWorker(t)
	phone := w.pair()
	_, err := w.lab.UnlinkDevice(within(t), &labv1.UnlinkDeviceRequest{PhoneNumber: phone})
	must(t, err)
	out := w.state(enginev1.LineChanged_STATE_LOGGED_OUT)
	if out.GetFailure().GetReason() != wagatev1.ErrorReason_ERROR_REASON_SESSION_LOGGED_OUT || out.GetFailure().GetProviderCode() != "401" {
		t.Fatalf("it is logged out because: %v", out.GetFailure())
	}
	w.link(phone)
}

func TestTheWorkerUnlinksTheSessionWhichIsThenPairedAgain(t *testing.T) {
	w := startWorker(t)
	phone := w.pair()
	answer, err := w.LogoutSession(within(t), &enginev1.LogoutSessionRequest{SessionId: shop, Fence: 1})
	must(t, err)
	if !answer.GetUnlinked() {
		t.Fatal("WhatsApp was not told")
	}
	w.state(enginev1.LineChanged_STATE_UNLINKED)
	if opened := w.open(); opened.GetDevice() != nil {
		t.Fatalf("there still is %v", opened.GetDevice())
	}
	w.link(phone)
}

func TestALogoutWithoutALineErasesTheKeys(t *testing.T) {
	w := startWorker(t)
	phone := w.pair()
	w.fault(phone, &labv1.SetFaultRequest_Fault{Unreachable: true})
	w.drop(phone)
	w.state(enginev1.LineChanged_STATE_RECONNECTING)
	answer, err := w.LogoutSession(within(t), &enginev1.LogoutSessionRequest{SessionId: shop, Fence: 1})
	must(t, err)
	if answer.GetUnlinked() {
		t.Fatal("WhatsApp is said to have been told")
	}
	w.state(enginev1.LineChanged_STATE_UNLINKED)
	if opened := w.open(); opened.GetDevice() != nil {
		t.Fatalf("there still is %v", opened.GetDevice())
	}
}
