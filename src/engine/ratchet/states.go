package ratchet

import (
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/whatsmeow/store"
)

// undisturbed is a session after a message was decrypted, with all its states but the one that the message fitted as they
// were before. Two who write first at the same moment have two states; libsignal tries one after the other, and turns also
// those that do not fit. Written back like that they would take what fits them later for a repetition.
func undisturbed(before, after []byte) []byte {
	was, now := parsed(before), parsed(after)
	if was == nil || now == nil || len(now.PreviousStates) == 0 {
		return after
	}
	known := make(map[string]*record.StateStructure, len(was.PreviousStates)+1)
	for _, state := range append(was.PreviousStates, was.SessionState) {
		known[string(state.SenderBaseKey)] = state
	}
	var others []*record.StateStructure
	for _, state := range now.PreviousStates {
		name := string(state.SenderBaseKey)
		if name == string(now.SessionState.SenderBaseKey) {
			continue // the one that fitted, listed twice
		}
		if old := known[name]; old != nil {
			state = old
		}
		others = append(others, state)
	}
	now.PreviousStates = others
	return store.SignalProtobufSerializer.Session.Serialize(now)
}

// parsed is nil for what is no session, or none yet.
func parsed(session []byte) *record.SessionStructure {
	if len(session) == 0 {
		return nil
	}
	structure, err := store.SignalProtobufSerializer.Session.Deserialize(session)
	if err != nil || structure.SessionState == nil {
		return nil
	}
	return structure
}
