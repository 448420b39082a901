package line

import (
	"runtime/debug"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

// hear passes on what whatsmeow tells. Panics are ours to catch: whatsmeow takes one for success.
func (l *Line) hear(event any) (stored bool) {
	defer func() {
		if cause := recover(); cause != nil {
			l.options.Log.Error("hearing an event panicked", "cause", cause, "stack", string(debug.Stack()))
			l.Shut()
			stored = false
		}
	}()
	if l.IsGone() && mustBeStored(event) {
		return false
	}
	return l.stored(event, l.options.Hear(l, event))
}

// stored says whether something was stored, as far as whatsmeow need know: what is told ahead is confirmed here, and
// whatsmeow does nothing more about it when it hears no.
func (l *Line) stored(event any, answer Answer) bool {
	if said, isKnown := answer.(Said); isKnown {
		return bool(said)
	}
	defer l.stanzas.waitForStore()()
	if l.tellAhead(event, answer) {
		return false
	}
	return l.ahead.drained() && answer.Stored()
}

// AwaitAnswers waits until it is known what became of all that was told ahead, and says whether all was stored. It may be
// called by who hears.
func (l *Line) AwaitAnswers() bool {
	defer l.stanzas.waitForStore()()
	return l.ahead.drained()
}

func mustBeStored(event any) bool {
	switch event.(type) {
	case *events.Message, *events.Receipt:
		return true
	}
	return false
}

func (l *Line) mayLink(account types.JID) (may bool) {
	defer func() {
		if cause := recover(); cause != nil {
			l.options.Log.Error("judging an account panicked", "cause", cause, "stack", string(debug.Stack()))
			may = false
		}
	}()
	return l.options.MayLink == nil || l.options.MayLink(account)
}

func (l *Line) storeFailed(why error) {
	l.options.StoreFailed(why)
	l.Shut()
}
