package convert

import (
	"testing"
	"time"
	"unicode/utf8"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

// travelled is a message as its recipient gets it.
func travelled(t *testing.T, message *waE2E.Message) *waE2E.Message {
	t.Helper()
	bytes, err := proto.Marshal(message)
	if err != nil {
		t.Fatalf("%v cannot be sent: %v", message, err)
	}
	received := &waE2E.Message{}
	if err := proto.Unmarshal(bytes, received); err != nil {
		t.Fatalf("%v cannot be read: %v", message, err)
	}
	return received
}

func FuzzWhatIsSaidIsReadAsItWasWritten(f *testing.F) {
	f.Add("hello", "", false)
	f.Add("see https://example.com/a-b?c=%zz.", "before", true)
	f.Add("http://[::1", "", true)
	f.Add("@ and @", "\U0001F600", true)
	f.Fuzz(func(t *testing.T, text, answered string, preview bool) {
		if text == "" || !utf8.ValidString(text) || !utf8.ValidString(answered) {
			return // the contract has refused it before
		}
		request := say(text, preview)
		if answered != "" {
			request.Quoted = &enginev1.QuotedMessage{ProviderMessageId: "B2", AuthorJid: annaLID.String(), Content: content(answered, false)}
		}
		told := arrived(from(annaLID, annaLID, travelled(t, message(t, request))))
		if read := told.GetContent().GetText().GetText(); read != text {
			t.Fatalf("%q is read as %q", text, read)
		}
		if told.GetQuotedPreview() != firstCharacters(answered, maxPreview) {
			t.Fatalf("the answer to %q is to %q", answered, told.GetQuotedPreview())
		}
	})
}

func FuzzWhoeverIsCalledOutStandsInTheText(f *testing.F) {
	f.Add("hello @", "900000000000001@lid")
	f.Add("@@", "4915112345678@s.whatsapp.net")
	f.Add("a @\xff", "4915112345678:3@s.whatsapp.net")
	f.Add("@", "1.2:3@lid@lid")
	f.Fuzz(func(t *testing.T, text, called string) {
		request := say(text, false)
		request.MentionJids = []string{called}
		made, err := Message(request)
		if err != nil || !utf8.ValidString(text) {
			return
		}
		jid, err := types.ParseJID(called)
		if words := travelled(t, made).GetExtendedTextMessage().GetText(); err != nil || len(words) != len(text)+len(jid.User) {
			t.Fatalf("%q is called out in %q: %q, %v", called, text, words, err)
		}
	})
}

func FuzzWhateverIsAnsweredCanBeShown(f *testing.F) {
	picture, err := proto.Marshal(&waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("look")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(picture)
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0x02, 0xff, 0xfe})
	f.Fuzz(func(t *testing.T, raw []byte) {
		request := say("yes", false)
		unsupported := &wagatev1.Content_Unsupported{Unsupported: &wagatev1.Unsupported{Raw: raw}}
		request.Quoted = &enginev1.QuotedMessage{ProviderMessageId: "B2", AuthorJid: annaLID.String(), Content: &wagatev1.Content{Body: unsupported}}
		if made, err := Message(request); err == nil {
			travelled(t, made)
		}
	})
}

func FuzzWhereverItComesFromCanBeTold(f *testing.F) {
	f.Add("900000000000001", types.HiddenUserServer, "A1", "Anna", "")
	f.Add("120363000000000001", types.GroupServer, "\xff", "\xff\xfe", "7")
	f.Add("", "", "", "", "\x00")
	f.Fuzz(func(t *testing.T, user, server, id, name, kind string) {
		jid := types.NewJID(user, server)
		source := types.MessageSource{Chat: jid, Sender: jid, SenderAlt: jid}
		info := types.MessageInfo{MessageSource: source, ID: id, PushName: name, Edit: types.EditAttribute(kind), Timestamp: time.Unix(1, 0)}
		told := []proto.Message{Place(&info, unknown, true)}
		if missing := Undecryptable(&events.UndecryptableMessage{Info: info}, unknown, false); missing != nil {
			told = append(told, missing)
		}
		receipt := &events.Receipt{MessageSource: source, MessageIDs: []string{id}, Type: types.ReceiptType(kind)}
		if told = append(told, Receipt(receipt, unknown)); told[len(told)-1].(*enginev1.ReceiptArrived) == nil {
			told = told[:len(told)-1]
		}
		for _, one := range told {
			if _, err := proto.Marshal(one); err != nil {
				t.Fatalf("%v cannot be told: %v", one, err)
			}
		}
	})
}
