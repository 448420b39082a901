package line

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// AnswerPatience is how long WhatsApp's answer to a message is waited for.
const AnswerPatience = 20 * time.Second

// lastAnswer is how long an answer that came before the line was gone may take to be read.
const lastAnswer = 200 * time.Millisecond

// NotOnWhatsApp is the code of a refusal that WhatsApp has no number for: the recipient has no account.
const NotOnWhatsApp = "not-on-whatsapp"

// Outcome is what came of an attempt at sending. It is exactly one of: sent (Time is set), refused (Code is set), not sent
// (Why is set), unknown (Why and MayHaveLeft are set).
type Outcome struct {
	// To is the JID that the message really went to.
	To types.JID
	// Time is WhatsApp's time of the message.
	Time time.Time
	// Code is WhatsApp's error number.
	Code string
	// Why is what failed here.
	Why error
	// MayHaveLeft is true if bytes of the message may have reached WhatsApp.
	MayHaveLeft bool
}

// Send hands one message to WhatsApp under the given id, one at a time, and waits for the answer. The caller's patience is
// honoured even while another message is being sent. MayStill is asked right before the message is handed over.
func (l *Line) Send(ctx context.Context, id string, to types.JID, message *waE2E.Message, mayStill func() error) Outcome {
	select {
	case l.sendTurn <- struct{}{}:
		defer func() { <-l.sendTurn }()
	case <-ctx.Done():
		return Outcome{Why: fmt.Errorf("waiting for the message before: %w", ctx.Err())}
	case <-l.gone:
		return Outcome{Why: whatsmeow.ErrNotConnected}
	}
	to, err := l.recipient(ctx, to)
	if err != nil {
		return Outcome{Why: err}
	} else if to.IsEmpty() {
		return Outcome{Code: NotOnWhatsApp}
	}
	if err := mayStill(); err != nil {
		return Outcome{Why: err}
	}
	return l.handOver(ctx, id, to, message)
}

// handOver sends, and waits until WhatsApp has answered or the line is gone: whatsmeow would wait for this line to come
// back, which no line does.
func (l *Line) handOver(ctx context.Context, id string, to types.JID, message *waE2E.Message) Outcome {
	l.departures.await(id)
	answered := make(chan Outcome, 1)
	go func() {
		answer, err := l.client.SendMessage(ctx, to, message, whatsmeow.SendRequestExtra{ID: id, Timeout: AnswerPatience})
		answered <- judge(to, answer, err, l.departures.settle(id))
	}()
	select {
	case outcome := <-answered:
		return outcome
	case <-l.gone:
	}
	select {
	case outcome := <-answered: // The answer was the last that came.
		return outcome
	case <-time.After(lastAnswer):
		return Outcome{Why: whatsmeow.ErrNotConnected, MayHaveLeft: l.departures.settle(id)}
	}
}

func judge(to types.JID, answer whatsmeow.SendResponse, err error, left bool) Outcome {
	switch {
	case err == nil:
		return Outcome{To: to, Time: answer.Timestamp}
	case errors.Is(err, whatsmeow.ErrServerReturnedError):
		return Outcome{Code: errorNumber(err)}
	default:
		return Outcome{Why: err, MayHaveLeft: left}
	}
}

// errorNumber reads the number that whatsmeow puts behind ErrServerReturnedError.
func errorNumber(err error) string {
	text := err.Error()
	return text[strings.LastIndexByte(text, ' ')+1:]
}

// recipient finds the LID of a phone number, asking WhatsApp if need be: empty if it has no account. A LID is itself.
func (l *Line) recipient(ctx context.Context, to types.JID) (types.JID, error) {
	if to.Server != types.DefaultUserServer {
		return to, nil
	}
	lid, err := l.options.Device.LIDs.GetLIDForPN(ctx, to)
	if err != nil || !lid.IsEmpty() {
		return lid, err
	}
	found, err := l.client.GetUserInfo(ctx, []types.JID{to})
	if err != nil {
		return types.EmptyJID, fmt.Errorf("asking for the recipient: %w", err)
	}
	return found[to].LID.ToNonAD(), nil
}

// CheckNumbers asks which phone numbers (digits with a leading `+`) have an account.
func (l *Line) CheckNumbers(ctx context.Context, numbers []string) ([]types.IsOnWhatsAppResponse, error) {
	return l.client.IsOnWhatsApp(ctx, numbers)
}

// Logout unlinks the device at WhatsApp, and returns once WhatsApp has answered. whatsmeow's own Logout would disconnect
// while WhatsApp does.
func (l *Line) Logout(ctx context.Context) error {
	_, err := l.internals().SendIQ(ctx, whatsmeow.DangerousInfoQuery{
		Namespace: "md",
		Type:      "set",
		To:        types.ServerJID,
		NoRetry:   true,
		Content: []waBinary.Node{{
			Tag:   "remove-companion-device",
			Attrs: waBinary.Attrs{"jid": l.options.Device.GetJID(), "reason": "user_initiated"},
		}},
	})
	if isUnlinking(err) {
		return nil
	}
	return err
}

// isUnlinking says whether WhatsApp, instead of an answer, sent the news that the device is unlinked.
func isUnlinking(err error) bool {
	var ended *whatsmeow.DisconnectedError
	return errors.As(err, &ended) && ended.Node != nil && ended.Node.Attrs["code"] == "401"
}
