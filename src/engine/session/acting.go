package session

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/line"
	"wagate.dev/src/engine/refusal"
)

// logoutPatience is how long WhatsApp may take to unlink the device, before the keys are erased regardless.
const logoutPatience = 10 * time.Second

// upLine is the line, if it is up; else an error that says where it is.
func (s *Session) upLine() (*line.Line, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connection == nil || !s.connection.isUp() {
		return nil, refusal.LineDown("the line is not connected: " + s.state.GetState().String())
	}
	return s.connection.line, nil
}

// Send hands a message to WhatsApp and waits for the answer. MayStill is asked right before it is handed over.
func (s *Session) Send(ctx context.Context, id string, to types.JID, message *waE2E.Message, mayStill func() error) line.Outcome {
	up, err := s.upLine()
	if err != nil {
		return line.Outcome{Why: err}
	}
	return up.Send(ctx, id, to, message, mayStill)
}

// MarkRead tells the sender that messages were read.
func (s *Session) MarkRead(ctx context.Context, ids []string, at time.Time, chat, sender types.JID) error {
	up, err := s.upLine()
	if err != nil {
		return err
	}
	if err := up.MarkRead(ctx, ids, at, chat, sender); err != nil {
		return refusal.LineDown("the receipt could not be written: " + err.Error())
	}
	return nil
}

// CheckNumbers asks WhatsApp which phone numbers have an account.
func (s *Session) CheckNumbers(ctx context.Context, numbers []string) ([]types.IsOnWhatsAppResponse, error) {
	up, err := s.upLine()
	if err != nil {
		return nil, err
	}
	found, err := up.CheckNumbers(ctx, numbers)
	if err == nil {
		return found, nil
	} else if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, refusal.LineDown("WhatsApp did not answer: " + err.Error())
}

// Names is what the store knows about each person: every name of theirs. It asks nobody.
func (s *Session) Names(ctx context.Context, jids []types.JID) ([]*enginev1.PersonNames, error) {
	device, err := s.device(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking up names: %w", err)
	}
	names := make([]*enginev1.PersonNames, len(jids))
	for i, jid := range jids {
		if names[i], err = namesOf(ctx, device, jid); err != nil {
			return nil, fmt.Errorf("looking up names: %w", err)
		}
	}
	return names, nil
}

func namesOf(ctx context.Context, device *store.Device, jid types.JID) (*enginev1.PersonNames, error) {
	if device == nil {
		return convert.PersonNames("", jid), nil
	}
	other, err := device.GetAltJID(ctx, jid)
	if err != nil {
		return nil, err
	}
	names := convert.PersonNames("", jid, other)
	for _, name := range []types.JID{jid, other} {
		if name.IsEmpty() || names.PushName != "" {
			continue
		}
		contact, err := device.Contacts.GetContact(ctx, name)
		if err != nil {
			return nil, err
		}
		names.PushName = contact.PushName
	}
	return names, nil
}

// Logout unlinks the device at WhatsApp if the line is up, and erases its keys in any case. It says whether WhatsApp was
// told.
func (s *Session) Logout(ctx context.Context) (unlinkedThere bool, err error) {
	s.endPairing(pairingCanceled())
	s.mu.Lock()
	c := s.connection
	s.mu.Unlock()
	if c != nil {
		unlinkedThere = c.logout(ctx)
		select {
		case <-c.ended:
		case <-ctx.Done():
			return unlinkedThere, ctx.Err()
		}
	}
	if err := s.store.Erase(ctx); err != nil {
		return unlinkedThere, err
	}
	s.wake()
	return unlinkedThere, nil
}

// logout ends the connection for good, after WhatsApp was told if that is possible.
func (c *connection) logout(ctx context.Context) (told bool) {
	wasUp := c.isUp()
	c.leave(unlinked())
	if wasUp {
		ctx, cancel := context.WithTimeout(ctx, logoutPatience)
		defer cancel()
		err := c.line.Logout(ctx)
		told = err == nil
		if err != nil {
			c.session.log.Warn("WhatsApp could not be told of the logout", "error", err)
		}
	}
	c.line.Shut()
	return told
}
