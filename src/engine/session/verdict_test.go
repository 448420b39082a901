package session

import (
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types/events"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

func TestEachEndOfAConnectionMeansSomethingForTheLine(t *testing.T) {
	const (
		blocked   = enginev1.LineChanged_STATE_BLOCKED
		loggedOut = enginev1.LineChanged_STATE_LOGGED_OUT
		again     = enginev1.LineChanged_STATE_RECONNECTING
	)
	for _, end := range []struct {
		event  any
		state  enginev1.LineChanged_State
		reason wagatev1.ErrorReason
		code   string
	}{
		{&events.LoggedOut{Reason: events.ConnectFailureLoggedOut}, loggedOut, wagatev1.ErrorReason_ERROR_REASON_SESSION_LOGGED_OUT, "401"},
		{&events.LoggedOut{Reason: events.ConnectFailureUnknownLogout}, loggedOut, wagatev1.ErrorReason_ERROR_REASON_SESSION_LOGGED_OUT, "406"},
		{&events.TemporaryBan{Code: 101}, blocked, wagatev1.ErrorReason_ERROR_REASON_ACCOUNT_BANNED, "101"},
		{&events.ClientOutdated{}, blocked, wagatev1.ErrorReason_ERROR_REASON_CLIENT_OUTDATED, "405"},
		{&events.StreamReplaced{}, blocked, wagatev1.ErrorReason_ERROR_REASON_SESSION_REPLACED, ""},
		{&events.ConnectFailure{Reason: 409}, blocked, wagatev1.ErrorReason_ERROR_REASON_PROVIDER_REFUSED, "409"},
		{&events.CATRefreshError{}, blocked, wagatev1.ErrorReason_ERROR_REASON_PROVIDER_REFUSED, "414"},
		{&events.ManualLoginReconnect{}, again, wagatev1.ErrorReason_ERROR_REASON_LINE_LOST, "515"},
		{&events.StreamError{Code: "516"}, again, wagatev1.ErrorReason_ERROR_REASON_LINE_LOST, "516"},
	} {
		v, isEnd := verdictOn(end.event)
		if !isEnd || v.state != end.state || v.failure.GetReason() != end.reason || v.failure.GetProviderCode() != end.code {
			t.Errorf("%T means %v", end.event, v)
		}
	}
}

func TestEveryEndThatWhatsmeowCallsPermanentHasAMeaning(t *testing.T) {
	for _, end := range []events.PermanentDisconnect{
		&events.LoggedOut{}, &events.StreamReplaced{}, &events.ClientOutdated{}, &events.CATRefreshError{}, &events.TemporaryBan{}, &events.ConnectFailure{},
	} {
		if _, isEnd := verdictOn(end); !isEnd {
			t.Errorf("%T means nothing", end)
		}
	}
}

func TestWhatIsNoEndMeansNone(t *testing.T) {
	for _, event := range []any{&events.Disconnected{}, &events.Connected{}, &events.PushName{}, nil} {
		if v, isEnd := verdictOn(event); isEnd {
			t.Errorf("%T means %v", event, v)
		}
	}
}

func TestABanSaysWhenItEnds(t *testing.T) {
	v, _ := verdictOn(&events.TemporaryBan{Code: 102, Expire: time.Hour})
	if left := time.Until(v.bannedUntil); left < 59*time.Minute || left > time.Hour {
		t.Errorf("it ends in %s", left)
	}
}

func TestThePauseDoublesUpToItsMostAndIsNeverTheSameForAll(t *testing.T) {
	pace := DefaultPace()
	pause := backoff{pace: pace}
	for i, whole := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if next := pause.next(); next < whole*time.Second/2 || next > whole*time.Second {
			t.Errorf("pause %d is %s, of at most %d s", i, next, whole)
		}
	}
	for range 100 {
		if next := pause.next(); next > pace.ReconnectMost {
			t.Fatalf("after many failures it is %s", next)
		}
	}
	pause.steadyFor(pace.Steady - 1)
	if next := pause.next(); next < pace.ReconnectMost/2 {
		t.Errorf("after a short while it is %s", next)
	}
	pause.steadyFor(pace.Steady)
	if next := pause.next(); next > pace.ReconnectFirst {
		t.Errorf("after a steady line it is %s", next)
	}
}

func TestTheFifthRefusalIsOneTooMany(t *testing.T) {
	var refused refusals
	poison, other := itemKey{id: "A1"}, itemKey{id: "A2"}
	for i := range 10 {
		if tooOften := refused.add(poison); tooOften != (i+1 >= 5) {
			t.Fatalf("refusal %d is too many: %t", i+1, tooOften)
		}
	}
	if refused.add(other) {
		t.Error("the first refusal of another item is one too many")
	}
	refused.forget(poison)
	if refused.add(poison) {
		t.Error("what was stored in the end is still remembered")
	}
	for i := range 10 * maxRefusedItems {
		refused.add(itemKey{id: string(rune('a' + i))})
	}
	if len(refused.counts) > maxRefusedItems {
		t.Errorf("%d items are remembered", len(refused.counts))
	}
}
