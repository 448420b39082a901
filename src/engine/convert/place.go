package convert

import (
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/types/known/timestamppb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// Alternates finds the other name of a person, if it is known; empty if not.
type Alternates func(types.JID) types.JID

// Place says where a message stands and who said it.
func Place(info *types.MessageInfo, alternate Alternates, offline bool) *enginev1.MessagePlace {
	place := &enginev1.MessagePlace{
		ProviderMessageId:  info.ID,
		ChatJid:            Name(info.Chat),
		ChatAlternateJid:   Name(chatAlternate(&info.MessageSource, alternate)),
		SenderJid:          Name(info.Sender),
		SenderAlternateJid: Name(firstOf(info.SenderAlt, info.Sender, alternate)),
		FromMe:             info.IsFromMe,
		PushName:           info.PushName,
		SendTime:           timestamppb.New(info.Timestamp),
		Offline:            offline,
		Edit:               string(info.Edit),
	}
	cleanse(place)
	return place
}

// chatAlternate is the other name of a one-to-one chat: of whom we wrote to on another device, or of who wrote to us.
func chatAlternate(source *types.MessageSource, alternate Alternates) types.JID {
	switch {
	case !IsPerson(source.Chat):
		return types.EmptyJID
	case source.IsFromMe:
		return firstOf(source.RecipientAlt, source.Chat, alternate)
	default:
		return firstOf(source.SenderAlt, source.Chat, alternate)
	}
}

func firstOf(told, jid types.JID, alternate Alternates) types.JID {
	if !told.IsEmpty() || !IsPerson(jid) {
		return told
	}
	return alternate(jid.ToNonAD())
}
