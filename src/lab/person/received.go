package person

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// entryOf tells a received message as the inbox keeps it.
func entryOf(message *events.Message) (*labv1.WatchInboxResponse, error) {
	content := message.RawMessage
	if copied := content.GetDeviceSentMessage(); copied != nil {
		content = copied.GetMessage()
	}
	raw, err := proto.Marshal(content)
	if err != nil {
		return nil, err
	}
	about := contextOf(message.Message)
	return &labv1.WatchInboxResponse{
		ProviderMessageId:       message.Info.ID,
		FromPhoneNumber:         phoneNumber(message.Info.Sender, message.Info.SenderAlt),
		FromLid:                 lid(message.Info.Sender, message.Info.SenderAlt),
		FromMe:                  message.Info.IsFromMe,
		ChatJid:                 message.Info.Chat.String(),
		Text:                    textOf(message.Message),
		QuotedProviderMessageId: about.GetStanzaID(),
		MentionJids:             about.GetMentionedJID(),
		RawMessage:              raw,
		RetryCount:              int32(message.RetryCount),
		SendTime:                timestamppb.New(message.Info.Timestamp),
	}, nil
}

// carriesKeysOnly is true for what clients tell each other about keys and their
// own devices, and people never see.
func carriesKeysOnly(message *events.Message) bool {
	if message.Info.Category == "peer" {
		return true
	}
	rest, ok := proto.Clone(message.Message).(*waE2E.Message)
	if !ok || rest.GetSenderKeyDistributionMessage() == nil {
		return false
	}
	rest.SenderKeyDistributionMessage, rest.MessageContextInfo = nil, nil
	return proto.Size(rest) == 0
}

func textOf(message *waE2E.Message) string {
	if text := message.GetExtendedTextMessage().GetText(); text != "" {
		return text
	}
	return message.GetConversation()
}

// contextOf finds the quote and mentions of a message of any kind; nil if it
// has none.
func contextOf(message *waE2E.Message) (found *waE2E.ContextInfo) {
	type withContext interface{ GetContextInfo() *waE2E.ContextInfo }
	for _, kind := range []withContext{
		message.GetExtendedTextMessage(), message.GetImageMessage(), message.GetVideoMessage(),
		message.GetAudioMessage(), message.GetDocumentMessage(), message.GetStickerMessage(),
		message.GetLocationMessage(), message.GetContactMessage(),
	} {
		if about := kind.GetContextInfo(); about != nil {
			return about
		}
	}
	return nil
}

func phoneNumber(names ...types.JID) string {
	for _, name := range names {
		if name.Server == types.DefaultUserServer {
			return "+" + name.User
		}
	}
	return ""
}

func lid(names ...types.JID) string {
	for _, name := range names {
		if name.Server == types.HiddenUserServer {
			return name.ToNonAD().String()
		}
	}
	return ""
}
