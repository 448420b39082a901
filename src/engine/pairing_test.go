package main

import (
	"testing"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func (w *worker) scan(phone, qr string) {
	w.t.Helper()
	_, err := w.lab.ScanQr(within(w.t), &labv1.ScanQrRequest{PhoneNumber: phone, QrText: qr})
	must(w.t, err)
}

func TestASessionIsPairedByQR(t *testing.T) {
	w := startWorker(t)
	account := w.lab.account(t)
	if opened := w.open(); opened.GetDevice() != nil {
		t.Fatalf("a new session has a device: %v", opened.GetDevice())
	}
	w.state(enginev1.LineChanged_STATE_UNLINKED)
	linked := w.link(account.GetPhoneNumber())
	if linked.GetPhoneNumber() != account.GetPhoneNumber() || linked.GetLid() != account.GetLid() || linked.GetPushName() != "Shop" {
		t.Fatalf("linked was %v, not %v", linked, account)
	}
}

func TestTextGoesOutAndTheAnswerComesIn(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	sent := w.send("3EB0AAAA", anna.phone[1:]+"@s.whatsapp.net", "hello").GetSent()
	if sent.GetToJid() != anna.lid {
		t.Fatalf("it went to %v, not %s", sent, anna.lid)
	}
	if heard := anna.hears(t); heard.GetText() != "hello" || heard.GetProviderMessageId() != "3EB0AAAA" {
		t.Fatalf("Anna heard %v", heard)
	}
	w.receipt(enginev1.ReceiptArrived_KIND_DELIVERED)
	anna.say(t, ours, "hi")
	told := w.message()
	if told.GetContent().GetText().GetText() != "hi" || told.GetPlace().GetChatJid() != anna.lid || told.GetPlace().GetPushName() != "Anna" {
		t.Fatalf("told was %v", told)
	}
}
