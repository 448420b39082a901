package convert

import (
	"testing"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

func TestWhatCannotBeReadSaysWhereItStandsAndWhetherItWasAskedForAgain(t *testing.T) {
	info := from(annaPhone, annaPhone, nil).Info
	for unavailable, again := range map[events.UnavailableType]bool{
		events.UnavailableTypeUnknown: true, events.UnavailableTypeViewOnce: false,
	} {
		told := Undecryptable(&events.UndecryptableMessage{Info: info, UnavailableType: unavailable}, unknown, true)
		if told.GetRequestedAgain() != again || told.GetPlace().GetSenderJid() != annaPhone.String() || !told.GetPlace().GetOffline() {
			t.Errorf("%q is told as %v", unavailable, told)
		}
	}
}

func TestWhatOwnDevicesTellEachOtherIsNoPlaceholder(t *testing.T) {
	info := types.MessageInfo{ID: "A1", Category: "peer", MessageSource: types.MessageSource{
		Chat: ourPhone.ToNonAD(), Sender: ourPhone, IsFromMe: true,
	}}
	if told := Undecryptable(&events.UndecryptableMessage{Info: info}, unknown, false); told != nil {
		t.Errorf("it is told as %v", told)
	}
}
