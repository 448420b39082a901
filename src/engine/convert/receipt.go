package convert

import (
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/types/known/timestamppb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// receiptKinds are the receipts that say how far a message got. The others are between devices.
var receiptKinds = map[types.ReceiptType]enginev1.ReceiptArrived_Kind{
	types.ReceiptTypeDelivered:  enginev1.ReceiptArrived_KIND_DELIVERED,
	types.ReceiptTypeInactive:   enginev1.ReceiptArrived_KIND_DELIVERED, // delivered to a device that nobody looks at
	types.ReceiptTypeSender:     enginev1.ReceiptArrived_KIND_OWN_DEVICE,
	types.ReceiptTypeRead:       enginev1.ReceiptArrived_KIND_READ,
	types.ReceiptTypeReadSelf:   enginev1.ReceiptArrived_KIND_READ_BY_SELF,
	types.ReceiptTypePlayed:     enginev1.ReceiptArrived_KIND_PLAYED,
	types.ReceiptTypePlayedSelf: enginev1.ReceiptArrived_KIND_READ_BY_SELF,
}

// Receipt tells how far messages got; nil if the receipt does not say.
func Receipt(event *events.Receipt, alternate Alternates) *enginev1.ReceiptArrived {
	kind, ok := receiptKinds[event.Type]
	if !ok {
		return nil
	}
	receipt := &enginev1.ReceiptArrived{
		ChatJid:            Name(event.Chat),
		ChatAlternateJid:   Name(chatAlternate(&event.MessageSource, alternate)),
		SenderJid:          Name(event.Sender),
		SenderAlternateJid: Name(firstOf(event.SenderAlt, event.Sender, alternate)),
		ProviderMessageIds: event.MessageIDs,
		Kind:               kind,
		ReceiptTime:        timestamppb.New(event.Timestamp),
	}
	cleanse(receipt)
	return receipt
}
