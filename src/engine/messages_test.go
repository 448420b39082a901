package main

import (
	"testing"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

func TestTextGoesOutAndTheAnswerComesIn(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	sent := w.send("3EB0AAAA", jidOf(anna.phone), "hello").GetSent()
	if sent.GetToJid() != anna.lid || sent.GetSendTime().AsTime().IsZero() {
		t.Fatalf("it went to %v, not %s", sent, anna.lid)
	}
	if heard := anna.hears(t); heard.GetText() != "hello" || heard.GetProviderMessageId() != "3EB0AAAA" {
		t.Fatalf("Anna heard %v", heard)
	}
	receipt := w.receipt(enginev1.ReceiptArrived_KIND_DELIVERED)
	if receipt.GetProviderMessageIds()[0] != "3EB0AAAA" || receipt.GetChatJid() != anna.lid {
		t.Fatalf("the receipt is %v", receipt)
	}
	anna.say(t, ours, "hi")
	told := w.message()
	place := told.GetPlace()
	if told.GetContent().GetText().GetText() != "hi" || place.GetChatJid() != anna.lid || place.GetPushName() != "Anna" ||
		place.GetChatAlternateJid() != jidOf(anna.phone) || place.GetFromMe() {
		t.Fatalf("told was %v", told)
	}
}

func TestAnAnswerNamesWhatItAnswersAndWhomItCallsOut(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	asked := anna.say(t, ours, "when?")
	place := w.message().GetPlace()
	request := w.sending("3EB0BBBB", anna.lid, "now, @")
	request.MentionJids = []string{anna.lid}
	request.Quoted = &enginev1.QuotedMessage{
		ProviderMessageId: asked, AuthorJid: place.GetSenderJid(),
		Content: &wagatev1.Content{Body: &wagatev1.Content_Text{Text: &wagatev1.Text{Text: "when?"}}},
	}
	if answer, err := w.SendMessage(within(t), request); err != nil || answer.GetSent() == nil {
		t.Fatalf("it was not sent: %v (%v)", answer, err)
	}
	heard := anna.hears(t)
	if heard.GetText() != "now, @"+userOf(anna.lid) || heard.GetQuotedProviderMessageId() != asked || heard.GetMentionJids()[0] != anna.lid {
		t.Fatalf("Anna heard %v", heard)
	}
	_, err := w.lab.Say(within(t), &labv1.SayRequest{
		PersonId: anna.id, To: ours, What: &labv1.SayRequest_Text{Text: "good"},
		ReplyToProviderMessageId: "3EB0BBBB", ReplyToAuthor: ours,
	})
	must(t, err)
	if told := w.message(); told.GetQuotedProviderMessageId() != "3EB0BBBB" || told.GetQuotedAuthorJid() == "" {
		t.Fatalf("told was %v", told)
	}
}

func TestAReadMessageIsToldToItsSender(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	w.send("3EB0CCCC", anna.lid, "hello")
	anna.hears(t)
	_, err := w.lab.MarkRead(within(t), &labv1.MarkReadRequest{PersonId: anna.id, Sender: ours, ProviderMessageIds: []string{"3EB0CCCC"}})
	must(t, err)
	w.receipt(enginev1.ReceiptArrived_KIND_READ)

	id := anna.say(t, ours, "hi")
	place := w.message().GetPlace()
	_, err = w.MarkMessagesRead(within(t), &enginev1.MarkMessagesReadRequest{
		SessionId: shop, Fence: 1, ChatJid: place.GetChatJid(), SenderJid: place.GetSenderJid(),
		ProviderMessageIds: []string{id}, ReadTime: place.GetSendTime(),
	})
	must(t, err)
	w.lab.records(t, func(entry *labv1.OracleEntry) bool {
		return entry.GetStanza() == "receipt" && entry.GetType() == "read" && entry.GetProviderMessageId() == id
	})
}

func TestWhatTheOwnerWritesOnThePhoneIsFromMe(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	owner := w.lab.person(t, &labv1.CreatePersonRequest{PhoneNumber: ours, Name: "Shop"})
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	owner.say(t, anna.phone, "from the phone")
	told := w.message()
	if told.GetContent().GetText().GetText() != "from the phone" || !told.GetPlace().GetFromMe() || told.GetPlace().GetChatJid() != anna.lid {
		t.Fatalf("told was %v", told)
	}
}

func TestANumberWithoutAnAccountIsRefused(t *testing.T) {
	w := startWorker(t)
	w.pair()
	if refused := w.send("3EB0DDDD", "4915100009999@s.whatsapp.net", "hello").GetRefused(); refused.GetProviderCode() != "not-on-whatsapp" {
		t.Fatalf("it was refused with %v", refused)
	}
}

func TestOutcomesOfSendingAreToldApart(t *testing.T) {
	w := startWorker(t, "--reconnect-first", "1h", "--reconnect-most", "1h")
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	w.fault(ours, &labv1.SetFaultRequest_Fault{RefuseCode: 463, RefuseCount: 1})
	if refused := w.send("3EB0E1", anna.lid, "refused").GetRefused(); refused.GetProviderCode() != "463" {
		t.Fatalf("it was refused with %v", refused)
	}
	w.fault(ours, &labv1.SetFaultRequest_Fault{AcksLost: true})
	answered := make(chan *enginev1.SendMessageResponse, 1)
	go func() { answered <- w.send("3EB0E2", anna.lid, "unknown") }()
	if heard := anna.hears(t); heard.GetText() != "unknown" {
		t.Fatalf("Anna heard %v", heard)
	}
	w.drop(ours)
	if unknown := (<-answered).GetUnknown(); unknown == nil {
		t.Fatal("an answer that was lost is not unknown")
	}
	w.state(enginev1.LineChanged_STATE_RECONNECTING)
	_, err := w.SendMessage(within(t), w.sending("3EB0E3", anna.lid, "not sent"))
	if reason(err) != "LINE_DOWN" {
		t.Fatalf("what was sent without a line is not called unsent: %v", err)
	}
}

func TestContactsAreCheckedAndResolved(t *testing.T) {
	w := startWorker(t)
	w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	checked, err := w.CheckContacts(within(t), &enginev1.CheckContactsRequest{
		SessionId: shop, Fence: 1, PhoneNumbers: []string{"+4915100009999", anna.phone},
	})
	must(t, err)
	if no := checked.GetContacts()[0]; no.GetOnWhatsapp() || no.GetRequested() != "+4915100009999" {
		t.Errorf("a number without an account: %v", no)
	}
	if yes := checked.GetContacts()[1]; !yes.GetOnWhatsapp() || yes.GetLid() != anna.lid || yes.GetPhoneNumber() != anna.phone {
		t.Errorf("Anna: %v", yes)
	}
	learned := next(w, "names", func(item *enginev1.Item) (*enginev1.PersonNames, bool) {
		names := item.GetNamesLearned().GetNames()
		return names, names.GetLid() == anna.lid
	})
	if learned.GetPhoneNumber() != anna.phone {
		t.Errorf("learned was %v", learned)
	}
	resolved, err := w.ResolveContacts(within(t), &enginev1.ResolveContactsRequest{
		SessionId: shop, Jids: []string{anna.lid, jidOf(anna.phone), "4915100009999@s.whatsapp.net"},
	})
	must(t, err)
	for i, wanted := range []string{anna.lid, anna.lid, ""} {
		if names := resolved.GetNames()[i]; names.GetLid() != wanted {
			t.Errorf("name %d is %v", i, names)
		}
	}
}
