package convert

import (
	"go.mau.fi/whatsmeow/types/events"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// peer is the category of what an account's own devices tell each other: keys, history, answers to each other's questions.
const peer = "peer"

// Undecryptable tells of a message that cannot be read yet; nil if it is none that a person wrote. whatsmeow has asked for
// it again by then, unless its sender keeps it from linked devices on purpose.
func Undecryptable(event *events.UndecryptableMessage, alternate Alternates, offline bool) *enginev1.MessageUndecryptable {
	if event.Info.Category == peer {
		return nil
	}
	return &enginev1.MessageUndecryptable{
		Place:          Place(&event.Info, alternate, offline),
		RequestedAgain: event.UnavailableType == events.UnavailableTypeUnknown,
	}
}
