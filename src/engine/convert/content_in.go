package convert

import (
	"fmt"

	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

// Arrived tells a message. What cannot be expressed, or whose conversion fails, is Unsupported with WhatsApp's own bytes:
// nothing is ever refused for what it says.
func Arrived(event *events.Message, place *enginev1.MessagePlace) (arrived *enginev1.MessageArrived) {
	defer func() {
		if recover() != nil {
			arrived = ArrivedUnsupported(event, place)
		}
	}()
	if text := textIn(event); text != nil {
		cleanse(text)
		text.Place = place
		return text
	}
	return ArrivedUnsupported(event, place)
}

// ArrivedUnsupported tells a message by its kind and bytes alone.
func ArrivedUnsupported(event *events.Message, place *enginev1.MessagePlace) *enginev1.MessageArrived {
	unsupported := &wagatev1.Unsupported{ProviderKind: kindOrNone(event), Raw: raw(event)}
	return &enginev1.MessageArrived{
		Place:   place,
		Content: &wagatev1.Content{Body: &wagatev1.Content_Unsupported{Unsupported: unsupported}},
	}
}

// raw marshals the message as it was decrypted. A field that must be there and is not does not keep the rest from us.
func raw(event *events.Message) []byte {
	bytes, err := proto.MarshalOptions{AllowPartial: true}.Marshal(event.RawMessage)
	if err != nil {
		panic(fmt.Sprintf("a message that was unmarshalled cannot be marshalled: %v", err))
	}
	return bytes
}

func kindOrNone(event *events.Message) string {
	if event.Message == nil {
		return ""
	}
	return Kind(event)
}
