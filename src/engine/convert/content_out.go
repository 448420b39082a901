package convert

import (
	"fmt"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

// Message makes WhatsApp's message of what is to be said.
func Message(request *enginev1.SendMessageRequest) (*waE2E.Message, error) {
	switch body := request.GetContent().GetBody().(type) {
	case *wagatev1.Content_Text:
		return textOut(body.Text, request)
	case nil:
		return nil, fmt.Errorf("the content says nothing")
	default:
		return nil, fmt.Errorf("content of kind %T cannot be sent", body)
	}
}

// contextOut says what is answered and who is called out; nil if nothing and nobody.
func contextOut(request *enginev1.SendMessageRequest) (*waE2E.ContextInfo, error) {
	quoted := request.GetQuoted()
	if quoted == nil && len(request.GetMentionJids()) == 0 {
		return nil, nil
	}
	context := &waE2E.ContextInfo{MentionedJID: request.GetMentionJids()}
	if quoted == nil {
		return context, nil
	}
	message, err := quotedOut(quoted.GetContent())
	if err != nil {
		return nil, err
	}
	context.StanzaID = proto.String(quoted.GetProviderMessageId())
	context.Participant = proto.String(quoted.GetAuthorJid())
	context.QuotedMessage = message
	return context, nil
}

// quotedOut shows what is answered: words as words, and what the gateway could not express as WhatsApp's own bytes.
func quotedOut(content *wagatev1.Content) (*waE2E.Message, error) {
	switch body := content.GetBody().(type) {
	case *wagatev1.Content_Text:
		return &waE2E.Message{Conversation: proto.String(body.Text.GetText())}, nil
	case *wagatev1.Content_Unsupported:
		var message waE2E.Message
		if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(body.Unsupported.GetRaw(), &message); err != nil {
			return nil, fmt.Errorf("the message that is answered cannot be read: %w", err)
		}
		return &message, nil
	default:
		return &waE2E.Message{Conversation: proto.String("")}, nil
	}
}
