package person

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

var (
	// ErrNobody tells that the lab has no account or group with the name that was
	// addressed.
	ErrNobody = errors.New("the lab has no account or group with that name")
	// ErrStranger tells that the person is not in the group that was addressed.
	ErrStranger = errors.New("the person is not in that group")
	// ErrRefused tells that the lab's server answered with an error number.
	ErrRefused = errors.New("the lab refused the message")
	// ErrUnanswered tells that the lab's server did not answer in time.
	ErrUnanswered = errors.New("the lab did not answer")
	// ErrMalformed tells that the raw bytes are no message.
	ErrMalformed = errors.New("raw_message is not a waE2E.Message")
)

// Words are what a person is told to say: a text or, if Raw is not nil, the
// bytes of a waE2E.Message.
type Words struct {
	To          types.JID
	Text        string
	Raw         []byte
	ReplyTo     string // id of the message that is answered; empty if none
	ReplyAuthor types.JID
	ID          string // empty means that one is made
}

// Said is what became of words.
type Said struct {
	ID   string
	Time time.Time
}

// Say sends words and returns once the lab's server has acked them.
func (p *Person) Say(ctx context.Context, words Words) (Said, error) {
	if err := p.ready(); err != nil {
		return Said{}, err
	}
	message, err := p.compose(words)
	if err != nil {
		return Said{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	extra := whatsmeow.SendRequestExtra{ID: words.ID, Timeout: patience}
	sent, err := p.client.SendMessage(ctx, words.To, message, extra)
	if err != nil {
		return Said{}, explained(err)
	}
	return Said{ID: sent.ID, Time: sent.Timestamp}, nil
}

func (p *Person) compose(words Words) (*waE2E.Message, error) {
	if words.Raw != nil {
		message := &waE2E.Message{}
		if err := proto.Unmarshal(words.Raw, message); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		return message, nil
	}
	if words.ReplyTo == "" {
		return &waE2E.Message{Conversation: proto.String(words.Text)}, nil
	}
	quoted, err := p.quote(words.ReplyTo)
	if err != nil {
		return nil, err
	}
	return &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
		Text: proto.String(words.Text),
		ContextInfo: &waE2E.ContextInfo{
			StanzaID:      proto.String(words.ReplyTo),
			Participant:   proto.String(words.ReplyAuthor.String()),
			QuotedMessage: quoted,
		},
	}}, nil
}

// quote gives the content of a message that was received; an empty message for
// one that was not.
func (p *Person) quote(id string) (*waE2E.Message, error) {
	quoted := &waE2E.Message{}
	err := proto.Unmarshal(p.Inbox.find(id).GetRawMessage(), quoted)
	return quoted, err
}

// explained turns what the client returns into the errors of this package.
func explained(err error) error {
	switch {
	case errors.Is(err, whatsmeow.ErrServerReturnedError):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(err, whatsmeow.ErrNotInGroup):
		return fmt.Errorf("%w: %w", ErrStranger, err)
	case errors.Is(err, whatsmeow.ErrGroupNotFound):
		return fmt.Errorf("%w: %w", ErrNobody, err)
	case errors.Is(err, whatsmeow.ErrMessageTimedOut), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrUnanswered, err)
	case strings.Contains(err.Error(), "no LID found"): // the client has no error of its own for it
		return fmt.Errorf("%w: %w", ErrNobody, err)
	}
	return err
}

// Read marks messages of a sender as read, so that the sender is told. They stand
// in the chat with the sender, or in a group.
func (p *Person) Read(ctx context.Context, chat, sender types.JID, ids []string) error {
	if err := p.ready(); err != nil {
		return err
	}
	return p.client.MarkRead(ctx, ids, time.Now(), chat, sender)
}
