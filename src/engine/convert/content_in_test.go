package convert

import (
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

var (
	annaPhone = types.NewJID("4915112345678", types.DefaultUserServer)
	annaLID   = types.NewJID("900000000000001", types.HiddenUserServer)
	ourPhone  = types.JID{User: "4915187654321", Device: 3, Server: types.DefaultUserServer}
	group     = types.NewJID("120363000000000001", types.GroupServer)
	channel   = types.NewJID("120363000000000002", types.NewsletterServer)
)

func unknown(types.JID) types.JID { return types.EmptyJID }

func from(sender, chat types.JID, message *waE2E.Message) *events.Message {
	info := types.MessageInfo{
		ID: "A1", PushName: "Anna", Timestamp: time.Unix(1_700_000_000, 0),
		MessageSource: types.MessageSource{Chat: chat, Sender: sender, IsGroup: chat.Server == types.GroupServer},
	}
	return (&events.Message{Info: info, RawMessage: message}).UnwrapRaw()
}

func arrived(event *events.Message) *enginev1.MessageArrived {
	return Arrived(event, Place(&event.Info, unknown, false))
}

func TestTextOfOnePersonIsText(t *testing.T) {
	for name, message := range map[string]*waE2E.Message{
		"plain":     {Conversation: proto.String("hello")},
		"extended":  {ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("hello")}},
		"vanishing": {EphemeralMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{Conversation: proto.String("hello")}}},
		"with luggage": {
			Conversation: proto.String("hello"), MessageContextInfo: &waE2E.MessageContextInfo{},
		},
	} {
		if text := arrived(from(annaLID, annaLID, message)).GetContent().GetText(); text.GetText() != "hello" {
			t.Errorf("%s: %v", name, text)
		}
	}
}

func TestTextInAGroupIsText(t *testing.T) {
	keys := &waE2E.SenderKeyDistributionMessage{GroupID: proto.String(group.String())}
	for name, message := range map[string]*waE2E.Message{
		"alone":             {Conversation: proto.String("hello")},
		"with keys, resent": {Conversation: proto.String("hello"), SenderKeyDistributionMessage: keys},
		"with a secret":     {Conversation: proto.String("hello"), MessageContextInfo: &waE2E.MessageContextInfo{}},
		"in a short-lived chat": {EphemeralMessage: &waE2E.FutureProofMessage{
			Message: &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("hello")}},
		}},
	} {
		told := arrived(from(annaLID, group, message))
		if told.GetContent().GetText().GetText() != "hello" {
			t.Errorf("%s: %v", name, told.GetContent())
		}
		if told.Place.ChatJid != group.String() || told.Place.SenderJid != annaLID.String() {
			t.Errorf("%s: it stands at %v", name, told.Place)
		}
	}
}

func TestTextTellsWhatItAnswersAndWhomItCallsOut(t *testing.T) {
	told := arrived(from(annaLID, annaLID, &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text:        proto.String("yes @4915187654321"),
		MatchedText: proto.String("https://example.com"),
		ContextInfo: &waE2E.ContextInfo{
			StanzaID:      proto.String("B2"),
			Participant:   proto.String(ourPhone.ToNonAD().String()),
			QuotedMessage: &waE2E.Message{Conversation: proto.String(strings.Repeat("ä", 2000))},
			MentionedJID:  []string{ourPhone.ToNonAD().String()},
		},
	}}))
	if told.GetQuotedProviderMessageId() != "B2" || told.GetQuotedAuthorJid() != "4915187654321@s.whatsapp.net" {
		t.Errorf("the quote is %v", told)
	}
	if told.GetQuotedPreview() != strings.Repeat("ä", 1024) {
		t.Errorf("the preview has %d bytes", len(told.GetQuotedPreview()))
	}
	if mentions := told.GetMentionJids(); len(mentions) != 1 || mentions[0] != "4915187654321@s.whatsapp.net" {
		t.Errorf("called out are %v", mentions)
	}
	if !told.GetContent().GetText().GetLinkPreview() {
		t.Error("the link preview was not told")
	}
}

func TestWhateverElseArrivesKeepsItsKindAndBytes(t *testing.T) {
	text := &waE2E.Message{Conversation: proto.String("hello")}
	edited := from(annaLID, annaLID, &waE2E.Message{EditedMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
		ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: text},
	}}})
	edited.Info.Edit = types.EditAttributeMessageEdit
	revoked := from(annaLID, annaLID, &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_REVOKE.Enum(), Key: &waCommon.MessageKey{ID: proto.String("A0")},
	}})
	newer := &waE2E.Message{}
	newer.ProtoReflect().SetUnknown([]byte{0xfa, 0x7f, 0x01, 0x00})
	for kind, event := range map[string]*events.Message{
		"imageMessage":    from(annaLID, annaLID, &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("hi")}}),
		"reactionMessage": from(annaLID, annaLID, &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Text: proto.String("x")}}),
		"conversation":    from(annaLID, channel, text),
		"editedMessage":   edited,
		"protocolMessage": revoked,
		"":                from(annaLID, annaLID, newer),
	} {
		unsupported := arrived(event).GetContent().GetUnsupported()
		if unsupported == nil || unsupported.GetProviderKind() != kind {
			t.Errorf("%q was told as %v", kind, unsupported)
			continue
		}
		var kept waE2E.Message
		if err := proto.Unmarshal(unsupported.GetRaw(), &kept); err != nil || !proto.Equal(&kept, event.RawMessage) {
			t.Errorf("%q lost its bytes: %v", kind, err)
		}
		if !IsMessage(event) {
			t.Errorf("%q is said to be no message", kind)
		}
	}
}

func TestWhatDevicesTellEachOtherIsNoMessage(t *testing.T) {
	keys := &waE2E.SenderKeyDistributionMessage{GroupID: proto.String("g")}
	share := &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_APP_STATE_SYNC_KEY_SHARE.Enum()}
	for name, message := range map[string]*waE2E.Message{
		"group keys":     {SenderKeyDistributionMessage: keys, MessageContextInfo: &waE2E.MessageContextInfo{}},
		"settings share": {ProtocolMessage: share},
	} {
		if IsMessage(from(annaLID, group, message)) {
			t.Errorf("%s are said to be a message", name)
		}
	}
	if !IsMessage(from(annaLID, group, &waE2E.Message{SenderKeyDistributionMessage: keys, Conversation: proto.String("hi")})) {
		t.Error("words that come with group keys are said to be no message")
	}
}

func TestOnlyOurOwnPhoneTellsOfHistory(t *testing.T) {
	event := from(ourPhone, ourPhone.ToNonAD(), &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
		HistorySyncNotification: &waE2E.HistorySyncNotification{DirectPath: proto.String("/v/x")},
	}})
	if HistoryNotice(event) != nil {
		t.Error("a stranger's notice was taken")
	}
	event.Info.IsFromMe = true
	if HistoryNotice(event).GetDirectPath() != "/v/x" {
		t.Error("our phone's notice was not taken")
	}
}

func TestTheOtherNameOfAChatIsToldBesideIt(t *testing.T) {
	known := func(jid types.JID) types.JID {
		if jid == annaLID {
			return annaPhone
		}
		return types.EmptyJID
	}
	event := from(annaLID, annaLID, &waE2E.Message{Conversation: proto.String("hello")})
	place := Place(&event.Info, known, true)
	if place.ChatJid != "900000000000001@lid" || place.ChatAlternateJid != "4915112345678@s.whatsapp.net" ||
		place.SenderAlternateJid != place.ChatAlternateJid || !place.Offline || place.FromMe {
		t.Errorf("from Anna: %v", place)
	}

	event = from(ourPhone, annaPhone, &waE2E.Message{Conversation: proto.String("hello")})
	event.Info.IsFromMe, event.Info.RecipientAlt = true, annaLID
	place = Place(&event.Info, known, false)
	if place.ChatJid != "4915112345678@s.whatsapp.net" || place.ChatAlternateJid != "900000000000001@lid" ||
		place.SenderJid != "4915187654321@s.whatsapp.net" || !place.FromMe {
		t.Errorf("from us: %v", place)
	}

	event = from(annaLID, group, &waE2E.Message{Conversation: proto.String("hello")})
	if place := Place(&event.Info, known, false); place.ChatAlternateJid != "" || place.SenderAlternateJid == "" {
		t.Errorf("in a group: %v", place)
	}
}

func FuzzWhateverArrivesCanBeTold(f *testing.F) {
	for _, seed := range []*waE2E.Message{
		{Conversation: proto.String("hello")},
		{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
			Text: proto.String("hi @1"), ContextInfo: &waE2E.ContextInfo{StanzaID: proto.String("B"), MentionedJID: []string{"1@lid"}},
		}},
		{ImageMessage: &waE2E.ImageMessage{}},
		{ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_REVOKE.Enum()}},
	} {
		bytes, err := proto.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes, "Anna")
	}
	f.Add([]byte{0x0a, 0x02, 0xff, 0xfe}, "\xff")                                // text that is no UTF-8
	f.Add([]byte{0x32, 0x08, 0x0a, 0x01, 'a', 0x8a, 0x01, 0x02, 0x0a, 0x00}, "") // an extended text with odd luggage
	f.Fuzz(func(t *testing.T, bytes []byte, pushName string) {
		var message waE2E.Message
		if proto.Unmarshal(bytes, &message) != nil {
			return
		}
		event := from(annaLID, annaLID, &message)
		event.Info.PushName = pushName
		IsMessage(event)
		if _, err := proto.Marshal(arrived(event)); err != nil {
			t.Fatalf("%v cannot be told: %v", event.RawMessage, err)
		}
	})
}
