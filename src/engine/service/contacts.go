package service

import (
	"context"
	"strings"

	"go.mau.fi/whatsmeow/types"
	"google.golang.org/grpc/status"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/refusal"
)

// CheckContacts asks WhatsApp which phone numbers have an account.
func (s *Service) CheckContacts(ctx context.Context, request *enginev1.CheckContactsRequest) (*enginev1.CheckContactsResponse, error) {
	open, err := s.registry.Acting(request.GetSessionId(), request.GetFence())
	if err != nil {
		return nil, err
	}
	if len(request.GetPhoneNumbers()) == 0 {
		return &enginev1.CheckContactsResponse{}, nil
	}
	ctx, cancel := beforeDeadline(ctx)
	defer cancel()
	found, err := open.CheckNumbers(ctx, request.GetPhoneNumbers())
	if ctx.Err() != nil {
		return nil, status.FromContextError(ctx.Err()).Err()
	} else if err != nil {
		return nil, err
	}
	return &enginev1.CheckContactsResponse{Contacts: inOrderAsked(request.GetPhoneNumbers(), found)}, nil
}

func inOrderAsked(asked []string, found []types.IsOnWhatsAppResponse) []*enginev1.CheckedContact {
	answers := make(map[string]types.IsOnWhatsAppResponse, len(found))
	for _, answer := range found {
		answers["+"+strings.TrimPrefix(answer.Query, "+")] = answer
	}
	contacts := make([]*enginev1.CheckedContact, len(asked))
	for i, number := range asked {
		contacts[i] = &enginev1.CheckedContact{Requested: number}
		if answer := answers[number]; answer.IsIn {
			names := convert.PersonNames("", answer.JID, answer.PhoneNumber)
			contacts[i].OnWhatsapp, contacts[i].Lid, contacts[i].PhoneNumber = true, names.Lid, names.PhoneNumber
		}
	}
	return contacts
}

// ResolveContacts looks up what the store knows.
func (s *Service) ResolveContacts(ctx context.Context, request *enginev1.ResolveContactsRequest) (*enginev1.ResolveContactsResponse, error) {
	open, err := s.registry.Find(request.GetSessionId())
	if err != nil {
		return nil, err
	}
	jids := make([]types.JID, len(request.GetJids()))
	for i, text := range request.GetJids() {
		jid, err := types.ParseJID(text)
		if err != nil || !convert.IsPerson(jid) {
			return nil, refusal.Invalid("name %d is no person's JID", i+1)
		}
		jids[i] = jid.ToNonAD()
	}
	names, err := open.Names(ctx, jids)
	if err != nil {
		return nil, err
	}
	return &enginev1.ResolveContactsResponse{Names: names}, nil
}
