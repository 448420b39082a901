package session

import (
	"fmt"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types/events"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
	"wagate.dev/src/engine/keystore"
	"wagate.dev/src/engine/logs"
)

// verdict is why a line ended, and what is to be done about it.
type verdict struct {
	state       enginev1.LineChanged_State
	failure     *wagatev1.Failure
	bannedUntil time.Time // zero if unknown or not banned
}

// failure is a reason with a sentence. What whatsmeow says may name people: their numbers are taken out.
func failure(reason wagatev1.ErrorReason, providerCode, message string) *wagatev1.Failure {
	return &wagatev1.Failure{Reason: reason, Message: logs.Redact(message), ProviderCode: providerCode}
}

func lost(message string) verdict {
	return verdict{
		state:   enginev1.LineChanged_STATE_RECONNECTING,
		failure: failure(wagatev1.ErrorReason_ERROR_REASON_LINE_LOST, "", message),
	}
}

// storeFailed tells trouble that may pass from damage that stays. What a database says is for the log alone: it names
// the machines and roles behind it.
func (s *Session) storeFailed(err error) verdict {
	s.log.Error("the session's keys cannot be used", "error", err)
	if keystore.IsCorrupt(err) {
		return blocked(wagatev1.ErrorReason_ERROR_REASON_KEYS_UNREADABLE, "", "The file that holds the session's keys is damaged.")
	}
	return lost("The session's keys cannot be read or written just now.")
}

func unresponsive() verdict {
	return verdict{
		state:   enginev1.LineChanged_STATE_RECONNECTING,
		failure: failure(wagatev1.ErrorReason_ERROR_REASON_LINE_UNRESPONSIVE, "", "The line has stopped answering."),
	}
}

func blocked(reason wagatev1.ErrorReason, providerCode, message string) verdict {
	return verdict{state: enginev1.LineChanged_STATE_BLOCKED, failure: failure(reason, providerCode, message)}
}

func loggedOut(providerCode, message string) verdict {
	return verdict{
		state:   enginev1.LineChanged_STATE_LOGGED_OUT,
		failure: failure(wagatev1.ErrorReason_ERROR_REASON_SESSION_LOGGED_OUT, providerCode, message),
	}
}

func unlinked() verdict { return verdict{state: enginev1.LineChanged_STATE_UNLINKED} }

// loginAgain is the error that ends a connection after a device was linked, or whenever WhatsApp wants another login.
const loginAgain = "515"

// verdictOn maps what whatsmeow says about a connection to what it means for the line; false if it means no end of it.
// Failures 500 and 503 bring no event: there, and wherever the socket just closes, the line is lost.
func verdictOn(event any) (verdict, bool) {
	switch e := event.(type) {
	case *events.LoggedOut:
		return loggedOut(e.Reason.NumberString(), "WhatsApp unlinked the device: "+e.Reason.String()+"."), true
	case *events.TemporaryBan:
		return banned(e), true
	case *events.ClientOutdated:
		return blocked(wagatev1.ErrorReason_ERROR_REASON_CLIENT_OUTDATED, events.ConnectFailureClientOutdated.NumberString(),
			"WhatsApp takes no connection from a version this old."), true
	case *events.StreamReplaced:
		return blocked(wagatev1.ErrorReason_ERROR_REASON_SESSION_REPLACED, "",
			"Something else connected with the keys of this device."), true
	case *events.ConnectFailure:
		return blocked(wagatev1.ErrorReason_ERROR_REASON_PROVIDER_REFUSED, e.Reason.NumberString(),
			"WhatsApp refused the connection: "+e.Reason.String()+"."), true
	case *events.CATRefreshError:
		return blocked(wagatev1.ErrorReason_ERROR_REASON_PROVIDER_REFUSED, events.ConnectFailureCATInvalid.NumberString(),
			"WhatsApp refused the connection: it asked for a token that only Messenger has."), true
	case *events.ManualLoginReconnect:
		v := lost("WhatsApp asked for another login.")
		v.failure.ProviderCode = loginAgain
		return v, true
	case *events.StreamError:
		v := lost(fmt.Sprintf("WhatsApp ended the connection with error %q.", e.Code))
		v.failure.ProviderCode = e.Code
		return v, true
	}
	return verdict{}, false
}

func banned(ban *events.TemporaryBan) verdict {
	v := blocked(wagatev1.ErrorReason_ERROR_REASON_ACCOUNT_BANNED, strconv.Itoa(int(ban.Code)),
		"WhatsApp banned the account for a time: "+ban.Code.String()+".")
	if ban.Expire > 0 {
		v.bannedUntil = time.Now().Add(ban.Expire)
	}
	return v
}
