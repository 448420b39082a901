package line

import (
	"context"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// MarkRead tells the sender that messages were read. It does not wait for an answer; there is none.
func (l *Line) MarkRead(ctx context.Context, ids []string, at time.Time, chat, sender types.JID) error {
	if chat.Server == types.GroupServer {
		sender = l.member(ctx, chat, sender)
	}
	return l.client.MarkRead(ctx, ids, at, chat, sender)
}

// member is a person as a group names them: by LID, or by number in groups of old. Of which kind a group is, WhatsApp is
// asked once on each line. If it does not say, or the other name is not known, the person's name stays as it is.
func (l *Line) member(ctx context.Context, group, person types.JID) types.JID {
	//lint:ignore SA1019 whatsmeow keeps what it asked about a group where nothing else finds it.
	known, err := l.client.DangerousInternals().GetCachedGroupData(ctx, group)
	if err != nil {
		l.options.Log.Warn("a group could not be asked about", "error", err)
		return person
	}
	if (known.AddressingMode == types.AddressingModeLID) == (person.Server == types.HiddenUserServer) {
		return person
	}
	other, err := l.options.Device.GetAltJID(ctx, person)
	if err != nil || other.IsEmpty() {
		l.options.Log.Warn("a member's other name is not known", "error", err)
		return person
	}
	return other
}
