package line

import (
	"testing"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

func TestAPanicEndsItsLineAndConfirmsNothing(t *testing.T) {
	network := newLab(t)
	line := newLine(t, network)
	line.options.MayLink = func(types.JID) bool { panic("who judges") }
	if line.mayLink(types.JID{}) {
		t.Error("an account was let in in panic")
	}
	line.options.Hear = func(*Line, any) Answer { panic("who hears") }
	if line.hear(&events.Message{}) || !line.IsGone() {
		t.Error("what was heard in panic counts as stored")
	}
	line = newLine(t, network)
	line.client = nil
	line.handle(t.Context(), &waBinary.Node{Tag: "message"})
	if !line.IsGone() {
		t.Error("the line goes on after a panic in whatsmeow")
	}
}
