package session

import (
	"encoding/json"
	"time"

	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/types/known/timestamppb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

// How long codes live, as WhatsApp Web shows them: the first of a full set of QRs longer than the others; a code to type
// for as long as WhatsApp keeps the socket of somebody who is not logged in.
const (
	fullSet     = 6
	firstQRLife = 60 * time.Second
	qrLife      = 20 * time.Second
	typedLife   = 160 * time.Second
)

// codes shows one code after the other, each for its life.
type codes struct {
	attempt *attempt
	left    []string
	expires time.Time
	timer   *time.Timer
}

// begin shows the first QR of those that WhatsApp sent, or asks for a code to type instead.
func (c *codes) begin(qrs []string) *wagatev1.Failure {
	if c.attempt.phone == "" {
		c.left = qrs
		return c.next()
	}
	code, err := c.attempt.line.RequestCode(c.attempt.ctx, c.attempt.phone)
	if err != nil {
		return pairingFailed("", "WhatsApp gave no code: "+err.Error()+".")
	}
	c.show(code, typedLife)
	return nil
}

// next shows the next QR; once all were shown the attempt has timed out.
func (c *codes) next() *wagatev1.Failure {
	if len(c.left) == 0 {
		return pairingTimedOut()
	}
	life := qrLife
	if len(c.left) == fullSet {
		life = firstQRLife
	}
	qr := c.left[0]
	c.left = c.left[1:]
	c.show(qr, life)
	return nil
}

func (c *codes) show(text string, life time.Duration) {
	c.setTimer(life)
	c.attempt.step(&enginev1.PairingStep{Step: &enginev1.PairingStep_Code_{Code: &enginev1.PairingStep_Code{
		Text: text, ExpireTime: timestamppb.New(c.expires), CodesLeft: int32(len(c.left)),
	}}})
}

// wait shows nothing more, and lets the attempt go on for that long.
func (c *codes) wait(patience time.Duration) {
	c.left = nil
	c.setTimer(patience)
}

func (c *codes) setTimer(life time.Duration) {
	c.stop()
	c.expires = time.Now().Add(life)
	c.timer = time.NewTimer(life)
}

// expired fires when the code shown is worthless; never before one was shown.
func (c *codes) expired() <-chan time.Time {
	if c.timer == nil {
		return nil
	}
	return c.timer.C
}

func (c *codes) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

// afterWaiting is what comes when the time of a code, or of whatever was waited for, is over. A linked device that WhatsApp
// did not send off logs in regardless.
func (c *codes) afterWaiting(made *progress) *wagatev1.Failure {
	switch {
	case made.linked:
		made.handedOver = true
		return nil
	case made.lost != nil:
		return made.lost
	default:
		return c.next()
	}
}

// afterLoss is why an attempt whose line is gone has failed: WhatsApp closes it when the last code is worthless.
func (c *codes) afterLoss() *wagatev1.Failure {
	if c.timer != nil && len(c.left) == 0 && time.Until(c.expires) < qrLife {
		return pairingTimedOut()
	}
	return pairingFailed("", "The connection to WhatsApp was lost.")
}

// askPasskey asks for the person's passkey. Codes shown before are worthless from here on.
func (a *attempt) askPasskey(request *events.PairPasskeyRequest, codes *codes) *wagatev1.Failure {
	options, err := json.Marshal(request.PublicKey)
	if err != nil {
		return pairingFailed("", "The passkey's challenge cannot be written: "+err.Error()+".")
	}
	codes.wait(attemptPatience)
	a.pose(challengePasskey)
	a.step(&enginev1.PairingStep{Step: &enginev1.PairingStep_Passkey_{
		Passkey: &enginev1.PairingStep_Passkey{PublicKeyOptionsJson: string(options)},
	}})
	return nil
}

// askCodes asks whether the codes agree, unless WhatsApp says that nobody need look.
func (a *attempt) askCodes(confirmation *events.PairPasskeyConfirmation) *wagatev1.Failure {
	if confirmation.SkipHandoffUX {
		if err := a.line.ConfirmPasskey(a.ctx); err != nil {
			return pairingFailed("", "The passkey step failed: "+err.Error()+".")
		}
		return nil
	}
	a.pose(challengeCodes)
	a.step(&enginev1.PairingStep{Step: &enginev1.PairingStep_Passkey_{
		Passkey: &enginev1.PairingStep_Passkey{ConfirmationCode: confirmation.Code},
	}})
	return nil
}
