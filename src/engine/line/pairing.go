package line

import (
	"context"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
)

// shownOnPhone is how the phone names what asks to be linked by code. WhatsApp takes only common names.
const shownOnPhone = "Chrome (Linux)"

// RequestCode asks for a code to type on the phone with that number. Call it once WhatsApp has sent its QR codes.
func (l *Line) RequestCode(ctx context.Context, phoneNumber string) (string, error) {
	return l.client.PairPhone(ctx, phoneNumber, true, whatsmeow.PairClientChrome, shownOnPhone)
}

// AnswerPasskey hands on a passkey's answer.
func (l *Line) AnswerPasskey(ctx context.Context, answer *types.WebAuthnResponse) error {
	return l.client.SendPasskeyResponse(ctx, answer)
}

// ConfirmPasskey says that the codes agree.
func (l *Line) ConfirmPasskey(ctx context.Context) error {
	return l.client.SendPasskeyConfirmation(ctx)
}
