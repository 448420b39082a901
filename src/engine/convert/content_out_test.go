package convert

import (
	"testing"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

func say(text string, preview bool) *enginev1.SendMessageRequest {
	return &enginev1.SendMessageRequest{Content: content(text, preview)}
}

func content(text string, preview bool) *wagatev1.Content {
	return &wagatev1.Content{Body: &wagatev1.Content_Text{Text: &wagatev1.Text{Text: text, LinkPreview: preview}}}
}

func message(t *testing.T, request *enginev1.SendMessageRequest) *waE2E.Message {
	t.Helper()
	made, err := Message(request)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestPlainTextIsThePlainestMessage(t *testing.T) {
	if made := message(t, say("hello", true)); made.GetConversation() != "hello" || made.ExtendedTextMessage != nil {
		t.Fatalf("made %v", made)
	}
}

func TestEachLoneSignGetsTheNameOfWhomItCallsOut(t *testing.T) {
	request := say("(@) and @, not a@b, @@ or @x", false)
	request.MentionJids = []string{"900000000000001@lid", "4915112345678@s.whatsapp.net"}
	made := message(t, request).GetExtendedTextMessage()
	if made.GetText() != "(@900000000000001) and @4915112345678, not a@b, @@ or @x" {
		t.Fatalf("the text is %q", made.GetText())
	}
	if called := made.GetContextInfo().GetMentionedJID(); len(called) != 2 || called[1] != "4915112345678@s.whatsapp.net" {
		t.Fatalf("called out are %v", called)
	}
}

func TestAsManyAreCalledOutAsSignsStandAlone(t *testing.T) {
	for text, mentions := range map[string][]string{
		"hello":  {"1@lid"},
		"@ or @": {"1@lid"},
		"@":      {"120363000000000001@g.us"},
	} {
		request := say(text, false)
		request.MentionJids = mentions
		if made, err := Message(request); err == nil {
			t.Errorf("%q was made into %v", text, made)
		}
	}
}

func TestAnAnswerShowsWhatItAnswers(t *testing.T) {
	image := &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("look")}}
	raw, err := proto.Marshal(image)
	if err != nil {
		t.Fatal(err)
	}
	unsupported := &wagatev1.Content{Body: &wagatev1.Content_Unsupported{Unsupported: &wagatev1.Unsupported{Raw: raw}}}
	for name, shown := range map[string]struct {
		content *wagatev1.Content
		quoted  *waE2E.Message
	}{
		"words":        {content("before", false), &waE2E.Message{Conversation: proto.String("before")}},
		"a picture":    {unsupported, image},
		"nothing left": {&wagatev1.Content{}, &waE2E.Message{Conversation: proto.String("")}},
	} {
		request := say("yes", false)
		request.Quoted = &enginev1.QuotedMessage{ProviderMessageId: "B2", AuthorJid: "1@lid", Content: shown.content}
		context := message(t, request).GetExtendedTextMessage().GetContextInfo()
		if context.GetStanzaID() != "B2" || context.GetParticipant() != "1@lid" || !proto.Equal(context.GetQuotedMessage(), shown.quoted) {
			t.Errorf("%s: %v", name, context)
		}
	}
}

func TestALinkPreviewIsMadeOfTheLinksOwnWords(t *testing.T) {
	for text, wanted := range map[string][2]string{
		"see https://www.example.com/blog/a-first_message.": {"https://www.example.com/blog/a-first_message", "a first message · example.com"},
		"(http://example.com/)":                             {"http://example.com/", "example.com"},
	} {
		made := message(t, say(text, true)).GetExtendedTextMessage()
		if made.GetMatchedText() != wanted[0] || made.GetTitle() != wanted[1] {
			t.Errorf("%q is previewed as %q, %q", text, made.GetMatchedText(), made.GetTitle())
		}
	}
	if made := message(t, say("see https://example.com", false)); made.GetConversation() == "" {
		t.Errorf("a preview nobody asked for: %v", made)
	}
}

func TestWhatCannotBeSentIsAnError(t *testing.T) {
	for _, impossible := range []*wagatev1.Content{nil, {}, {Body: &wagatev1.Content_Undecryptable{}}} {
		if made, err := Message(&enginev1.SendMessageRequest{Content: impossible}); err == nil {
			t.Errorf("%v was made into %v", impossible, made)
		}
	}
}
