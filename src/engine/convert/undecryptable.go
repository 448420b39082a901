package convert

import (
	"go.mau.fi/whatsmeow/types/events"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// Undecryptable tells of a message that cannot be read yet. whatsmeow has asked for it again by then, unless its sender
// keeps it from linked devices on purpose.
func Undecryptable(event *events.UndecryptableMessage, place *enginev1.MessagePlace) *enginev1.MessageUndecryptable {
	return &enginev1.MessageUndecryptable{
		Place:          place,
		RequestedAgain: event.UnavailableType == events.UnavailableTypeUnknown,
	}
}
