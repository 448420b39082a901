package session

import (
	"encoding/json"
	"errors"
	"time"

	"go.mau.fi/whatsmeow/types"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
	"wagate.dev/src/engine/refusal"
)

// attemptPatience bounds an attempt that waits for a person: none is endless.
const attemptPatience = 5 * time.Minute

func pairingFailed(providerCode, message string) *wagatev1.Failure {
	return failure(wagatev1.ErrorReason_ERROR_REASON_PAIRING_FAILED, providerCode, message)
}

func pairingTimedOut() *wagatev1.Failure {
	return failure(wagatev1.ErrorReason_ERROR_REASON_PAIRING_TIMED_OUT, "", "Nobody scanned or typed a code in time.")
}

func pairingCanceled() *wagatev1.Failure {
	return failure(wagatev1.ErrorReason_ERROR_REASON_PAIRING_CANCELED, "", "The attempt was canceled.")
}

func pairingClosed() *wagatev1.Failure {
	return failure(wagatev1.ErrorReason_ERROR_REASON_PAIRING_CANCELED, "", "The session was closed.")
}

func pairingSuperseded() *wagatev1.Failure {
	return failure(wagatev1.ErrorReason_ERROR_REASON_PAIRING_SUPERSEDED, "", "Another attempt was begun.")
}

func pairedWrongAccount() *wagatev1.Failure {
	return failure(wagatev1.ErrorReason_ERROR_REASON_PAIRED_WRONG_ACCOUNT, "",
		"The phone belongs to another account than the session expects.")
}

// StartPairing begins an attempt, ending the one under way. A phone number asks for a code to type, none for a QR.
func (s *Session) StartPairing(attemptID, phoneNumber string) error {
	s.pairing.Lock()
	defer s.pairing.Unlock()
	s.endPairing(pairingSuperseded())
	device, err := s.device(s.ctx)
	if err != nil {
		return err
	} else if device != nil {
		return refusal.AlreadyLinked()
	}
	a := newAttempt(s, attemptID, phoneNumber)
	s.mu.Lock()
	s.attempt = a
	s.mu.Unlock()
	go a.run()
	return nil
}

// CancelPairing ends the attempt under way. One that WhatsApp is being told the success of goes on.
func (s *Session) CancelPairing() { s.endPairing(pairingCanceled()) }

// endPairing ends the attempt under way, if there is one, and returns when it has ended.
func (s *Session) endPairing(why *wagatev1.Failure) {
	if a := s.underWay(); a != nil {
		a.stop(why)
		<-a.done
	}
}

func (s *Session) underWay() *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempt
}

// AnswerPasskey hands on what the person's passkey says, as JSON.
func (s *Session) AnswerPasskey(attemptID, responseJSON string) error {
	var response types.WebAuthnResponse
	if err := json.Unmarshal([]byte(responseJSON), &response); err != nil {
		return refusal.Invalid("the passkey's answer cannot be read: %s", err)
	}
	return s.answer(attemptID, challengePasskey, func(a *attempt) error { return a.line.AnswerPasskey(a.ctx, &response) })
}

// AnswerCodes says whether the code shown equals the one on the phone.
func (s *Session) AnswerCodes(attemptID string, agree bool) error {
	return s.answer(attemptID, challengeCodes, func(a *attempt) error {
		if !agree {
			return errors.New("the codes did not agree")
		}
		return a.line.ConfirmPasskey(a.ctx)
	})
}

// answer hands an answer to the attempt that waits for one of that kind. It does not wait for what comes of it.
func (s *Session) answer(attemptID string, kind challenge, act func(*attempt) error) error {
	a := s.underWay()
	if a == nil || a.id != attemptID || !a.meet(kind) {
		return refusal.NoSuchChallenge()
	}
	select {
	case a.answers <- act:
		return nil
	case <-a.done:
		return refusal.NoSuchChallenge()
	}
}

// step tells a step of an attempt.
func (a *attempt) step(what *enginev1.PairingStep) {
	what.AttemptId = a.id
	a.session.note(what)
}
