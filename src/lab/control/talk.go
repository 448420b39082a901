package control

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/person"
)

// Say implements the contract.
func (c *Control) Say(ctx context.Context, request *labv1.SayRequest) (*labv1.SayResponse, error) {
	speaker, err := c.world.Cast.Find(request.GetPersonId())
	if err != nil {
		return nil, told(err)
	}
	words, err := wordsOf(request)
	if err != nil {
		return nil, err
	}
	said, err := speaker.Say(ctx, words)
	if err != nil {
		return nil, told(err)
	}
	return &labv1.SayResponse{ProviderMessageId: said.ID, SendTime: timestamppb.New(said.Time)}, nil
}

func wordsOf(request *labv1.SayRequest) (words person.Words, err error) {
	words = person.Words{
		Text: request.GetText(), ReplyTo: request.GetReplyToProviderMessageId(), ID: request.GetProviderMessageId(),
	}
	if words.To, err = chatOf("to", request.GetTo()); err != nil {
		return words, err
	}
	switch what := request.GetWhat().(type) {
	case nil:
		return words, status.Error(codes.InvalidArgument, "One of text and raw_message must be set.")
	case *labv1.SayRequest_RawMessage:
		words.Raw = append([]byte{}, what.RawMessage...)
		if words.ReplyTo != "" {
			return words, status.Error(codes.InvalidArgument, "A raw_message says itself what it answers.")
		}
	}
	if words.ReplyTo != "" {
		words.ReplyAuthor, err = peerOf("reply_to_author", request.GetReplyToAuthor())
	}
	return words, err
}

// MarkRead implements the contract.
func (c *Control) MarkRead(ctx context.Context, request *labv1.MarkReadRequest) (*labv1.MarkReadResponse, error) {
	reader, err := c.world.Cast.Find(request.GetPersonId())
	if err != nil {
		return nil, told(err)
	}
	sender, err := peerOf("sender", request.GetSender())
	if err != nil {
		return nil, err
	}
	chat := sender
	if request.GetGroupJid() != "" {
		if chat, sender, err = c.memberOf(request.GetGroupJid(), sender); err != nil {
			return nil, err
		}
	}
	if len(request.GetProviderMessageIds()) == 0 {
		return nil, malformed("provider_message_ids", "one id at least")
	}
	return &labv1.MarkReadResponse{}, told(reader.Read(ctx, chat, sender, request.GetProviderMessageIds()))
}

// WatchInbox implements the contract.
func (c *Control) WatchInbox(
	request *labv1.WatchInboxRequest, stream grpc.ServerStreamingServer[labv1.WatchInboxResponse],
) error {
	owner, err := c.world.Cast.Find(request.GetPersonId())
	if err != nil {
		return told(err)
	}
	position := request.GetAfterPosition()
	for {
		entries, changed := owner.Inbox.After(position)
		for _, entry := range entries {
			if err = stream.Send(entry); err != nil {
				return err
			}
			position = entry.GetPosition()
		}
		if request.GetUntilNow() {
			return nil
		}
		if err = c.await(stream.Context(), changed); err != nil {
			return err
		}
	}
}

// await waits for news, for the caller to leave, or for the lab to end.
func (c *Control) await(ctx context.Context, news <-chan struct{}) error {
	select {
	case <-news:
		return nil
	case <-ctx.Done():
		return told(ctx.Err())
	case <-c.leaving.Done():
		return status.Error(codes.Unavailable, "The lab is closing.")
	}
}
