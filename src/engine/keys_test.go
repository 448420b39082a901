package main

import (
	"database/sql"
	"testing"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// inStore closes the session, does something to its store, and opens it again.
func (w *worker) inStore(act func(*sql.DB)) {
	w.t.Helper()
	_, err := w.CloseSession(within(w.t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 1})
	must(w.t, err)
	store, err := sql.Open("sqlite", w.opening(1, 0).GetStorePath())
	must(w.t, err)
	act(store)
	must(w.t, store.Close())
	w.open()
}

func TestAMessageThatCannotBeReadIsToldAndComesAgain(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	anna.say(t, ours, "before")
	w.message()
	w.send("3EB0G1", anna.lid, "hello")
	anna.hears(t)
	w.inStore(func(store *sql.DB) {
		_, err := store.Exec("DELETE FROM whatsmeow_sessions")
		must(t, err)
	})
	w.state(enginev1.LineChanged_STATE_CONNECTED)
	id := anna.say(t, ours, "who are you?")
	unread := next(w, "an unreadable message", func(item *enginev1.Item) (*enginev1.MessageUndecryptable, bool) {
		return item.GetMessageUndecryptable(), item.GetMessageUndecryptable() != nil
	})
	if unread.GetPlace().GetProviderMessageId() != id || !unread.GetRequestedAgain() || unread.GetPlace().GetChatJid() != anna.lid {
		t.Errorf("unreadable was %v", unread)
	}
	if told := w.message(); told.GetPlace().GetProviderMessageId() != id || told.GetContent().GetText().GetText() != "who are you?" {
		t.Errorf("then came %v", told)
	}
}

func TestWhatThePhoneSaysAboutItsHistoryIsKeptAndIsNoMessage(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	owner := w.lab.person(t, &labv1.CreatePersonRequest{PhoneNumber: ours, Name: "Shop"})
	notice, err := proto.Marshal(&waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type:                    waE2E.ProtocolMessage_HISTORY_SYNC_NOTIFICATION.Enum(),
		HistorySyncNotification: &waE2E.HistorySyncNotification{DirectPath: proto.String("/v/history")},
	}})
	must(t, err)
	said, err := w.lab.Say(within(t), &labv1.SayRequest{PersonId: owner.id, To: ours, What: &labv1.SayRequest_RawMessage{RawMessage: notice}})
	must(t, err)
	owner.say(t, ours, "a note to myself")
	if told := w.message(); told.GetContent().GetText().GetText() != "a note to myself" {
		t.Fatalf("told was %v", told)
	}
	w.inStore(func(store *sql.DB) {
		var kept []byte
		must(t, store.QueryRow("SELECT notice FROM engine_history_notice WHERE message_id = ?", said.GetProviderMessageId()).Scan(&kept))
		var read waE2E.HistorySyncNotification
		must(t, proto.Unmarshal(kept, &read))
		if read.GetDirectPath() != "/v/history" {
			t.Errorf("kept was %v", &read)
		}
	})
}
