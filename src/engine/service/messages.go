package service

import (
	"context"
	"errors"
	"time"

	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/types/known/timestamppb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/line"
	"wagate.dev/src/engine/logs"
	"wagate.dev/src/engine/refusal"
)

// answerMargin is how long before the caller's deadline an attempt ends, so that the caller still hears its outcome.
const answerMargin = 500 * time.Millisecond

// SendMessage hands one message to WhatsApp. What came of it is in the answer, unless the caller may not act, or there is
// no line to act on.
func (s *Service) SendMessage(ctx context.Context, request *enginev1.SendMessageRequest) (*enginev1.SendMessageResponse, error) {
	open, err := s.registry.Acting(request.GetSessionId(), request.GetFence())
	if err != nil {
		return nil, err
	}
	to, err := types.ParseJID(request.GetToJid())
	if err != nil || !convert.IsPerson(to) || request.GetProviderMessageId() == "" {
		return nil, refusal.Invalid("a message is sent to a person, under an id")
	}
	message, err := convert.Message(request)
	if err != nil {
		return nil, refusal.Invalid("%s", err)
	}
	ctx, cancel := beforeDeadline(ctx)
	defer cancel()
	outcome := open.Send(ctx, request.GetProviderMessageId(), to.ToNonAD(), message, func() error {
		_, err := s.registry.Acting(request.GetSessionId(), request.GetFence())
		return err
	})
	return sendAnswer(outcome)
}

func sendAnswer(outcome line.Outcome) (*enginev1.SendMessageResponse, error) {
	var refused *refusal.Refusal
	switch {
	case outcome.Code != "":
		return &enginev1.SendMessageResponse{Outcome: &enginev1.SendMessageResponse_Refused_{
			Refused: &enginev1.SendMessageResponse_Refused{ProviderCode: outcome.Code},
		}}, nil
	case outcome.MayHaveLeft:
		return &enginev1.SendMessageResponse{Outcome: &enginev1.SendMessageResponse_Unknown_{
			Unknown: &enginev1.SendMessageResponse_Unknown{Message: logs.Redact(outcome.Why.Error())},
		}}, nil
	case errors.As(outcome.Why, &refused):
		return nil, refused
	case outcome.Why != nil:
		return &enginev1.SendMessageResponse{Outcome: &enginev1.SendMessageResponse_NotSent_{
			NotSent: &enginev1.SendMessageResponse_NotSent{Message: logs.Redact(outcome.Why.Error())},
		}}, nil
	default:
		return &enginev1.SendMessageResponse{Outcome: &enginev1.SendMessageResponse_Sent_{
			Sent: &enginev1.SendMessageResponse_Sent{SendTime: timestamppb.New(outcome.Time), ToJid: convert.Name(outcome.To)},
		}}, nil
	}
}

func beforeDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-answerMargin))
	}
	return context.WithTimeout(ctx, line.AnswerPatience+answerMargin)
}

// MarkMessagesRead tells the sender that messages were read.
func (s *Service) MarkMessagesRead(
	ctx context.Context, request *enginev1.MarkMessagesReadRequest,
) (*enginev1.MarkMessagesReadResponse, error) {
	open, err := s.registry.Acting(request.GetSessionId(), request.GetFence())
	if err != nil {
		return nil, err
	}
	chat, chatErr := types.ParseJID(request.GetChatJid())
	sender, senderErr := types.ParseJID(request.GetSenderJid())
	if errors.Join(chatErr, senderErr) != nil || len(request.GetProviderMessageIds()) == 0 {
		return nil, refusal.Invalid("what is read has a chat, a sender and an id")
	}
	err = open.MarkRead(ctx, request.GetProviderMessageIds(), request.GetReadTime().AsTime(), chat, sender)
	if err != nil {
		return nil, err
	}
	return &enginev1.MarkMessagesReadResponse{}, nil
}
