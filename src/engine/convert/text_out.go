package convert

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

// textOut makes the plainest message that carries the text: most phones show an extended one differently.
func textOut(text *wagatev1.Text, request *enginev1.SendMessageRequest) (*waE2E.Message, error) {
	words, err := callOut(text.GetText(), request.GetMentionJids())
	if err != nil {
		return nil, err
	}
	context, err := contextOut(request)
	if err != nil {
		return nil, err
	}
	link := ""
	if text.GetLinkPreview() {
		link = firstLink(words)
	}
	if context == nil && link == "" {
		return &waE2E.Message{Conversation: proto.String(words)}, nil
	}
	extended := &waE2E.ExtendedTextMessage{Text: proto.String(words), ContextInfo: context}
	if link != "" {
		extended.MatchedText = proto.String(link)
		extended.Title = proto.String(linkTitle(link))
	}
	return &waE2E.Message{ExtendedTextMessage: extended}, nil
}

// callOut writes the name of each person called out behind a lone `@`, in order.
func callOut(text string, mentions []string) (string, error) {
	if len(mentions) == 0 {
		return text, nil
	}
	places := loneSigns(text)
	if len(places) != len(mentions) {
		return "", fmt.Errorf("%d people are called out, and %d signs stand alone", len(mentions), len(places))
	}
	var out strings.Builder
	from := 0
	for i, place := range places {
		jid, err := types.ParseJID(mentions[i])
		if err != nil || !IsPerson(jid) {
			return "", fmt.Errorf("mention %d is no person", i+1)
		}
		out.WriteString(text[from:place+1] + jid.User)
		from = place + 1
	}
	out.WriteString(text[from:])
	return out.String(), nil
}

// loneSigns finds each `@` with no letter, digit, underscore or other `@` next to it.
func loneSigns(text string) (places []int) {
	for i, sign := range text {
		if sign != '@' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+1:])
		if !joins(before) && !joins(after) {
			places = append(places, i)
		}
	}
	return places
}

func joins(next rune) bool {
	return next == '@' || next == '_' || next != utf8.RuneError && (unicode.IsLetter(next) || unicode.IsDigit(next))
}
