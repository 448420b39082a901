package convert

import (
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// luggage accompanies what is said, and says nothing itself.
var luggage = map[protoreflect.Name]bool{
	"messageContextInfo":                         true,
	"senderKeyDistributionMessage":               true,
	"fastRatchetKeySenderKeyDistributionMessage": true,
}

// Kind is WhatsApp's own name for what a message is: the name of its set field, for example `imageMessage`. It is empty
// for a kind newer than this engine.
func Kind(event *events.Message) string {
	if event.IsEdit {
		return "editedMessage"
	}
	for _, field := range said(event.Message) {
		return string(field)
	}
	return ""
}

// IsMessage says whether a person would call it a message, or something done to one. What devices tell each other is
// none: keys of groups, shares of settings, and other protocol messages without words.
func IsMessage(event *events.Message) bool {
	message := event.Message
	if protocol := message.GetProtocolMessage(); protocol != nil {
		return protocol.GetType() == waE2E.ProtocolMessage_REVOKE && protocol.Key != nil ||
			protocol.GetType() == waE2E.ProtocolMessage_MESSAGE_EDIT
	}
	hasKeys := message.GetSenderKeyDistributionMessage() != nil || message.GetFastRatchetKeySenderKeyDistributionMessage() != nil
	return !hasKeys || len(said(message)) > 0 || len(message.ProtoReflect().GetUnknown()) > 0
}

// HistoryNotice is what the phone says about where a part of its history can be fetched; nil if the message is no such.
func HistoryNotice(event *events.Message) *waE2E.HistorySyncNotification {
	if !event.Info.IsFromMe {
		return nil
	}
	return event.Message.GetProtocolMessage().GetHistorySyncNotification()
}

// said names the set fields that say something, in the order of their numbers.
func said(message *waE2E.Message) (names []protoreflect.Name) {
	fields := message.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if message.ProtoReflect().Has(field) && !luggage[field.Name()] {
			names = append(names, field.Name())
		}
	}
	return names
}
