package control

import (
	"context"

	"go.mau.fi/whatsmeow/types"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/model"
)

// CreatePerson implements the contract.
func (c *Control) CreatePerson(
	ctx context.Context, request *labv1.CreatePersonRequest,
) (*labv1.CreatePersonResponse, error) {
	phone, err := c.homeOf(request)
	if err != nil {
		return nil, told(err)
	}
	person, err := c.world.Cast.Create(ctx, phone, request.GetName())
	if err != nil {
		return nil, told(err)
	}
	account, err := c.describe(phone)
	return &labv1.CreatePersonResponse{
		PersonId: person.ID, Account: account, Device: int32(person.Device),
	}, told(err)
}

// homeOf finds the account that a person is to live on, or makes it.
func (c *Control) homeOf(request *labv1.CreatePersonRequest) (phone string, err error) {
	if request.GetPhoneNumber() != "" {
		if phone, err = phoneOf("phone_number", request.GetPhoneNumber()); err != nil {
			return "", err
		}
		if _, err = c.world.Server.Account(phone); err == nil {
			return phone, nil
		}
	}
	account, err := c.newAccount(request.GetPhoneNumber(), request.GetName(), request.GetNaming())
	if err != nil {
		return "", err
	}
	return account.Phone, nil
}

// SetOnline implements the contract.
func (c *Control) SetOnline(
	ctx context.Context, request *labv1.SetOnlineRequest,
) (*labv1.SetOnlineResponse, error) {
	person, err := c.world.Cast.Find(request.GetPersonId())
	if err != nil {
		return nil, told(err)
	}
	if request.GetOnline() {
		return &labv1.SetOnlineResponse{}, told(person.GoOnline(ctx))
	}
	person.GoOffline()
	gone := model.Address{Phone: person.Phone, Number: person.Device}
	return &labv1.SetOnlineResponse{}, told(c.world.Server.AwaitOffline(ctx, gone))
}

// ForgetKeys implements the contract.
func (c *Control) ForgetKeys(
	ctx context.Context, request *labv1.ForgetKeysRequest,
) (*labv1.ForgetKeysResponse, error) {
	person, err := c.world.Cast.Find(request.GetPersonId())
	if err != nil {
		return nil, told(err)
	}
	names, err := c.allNamesOf("peer", request.GetPeer())
	if err != nil {
		return nil, told(err)
	}
	return &labv1.ForgetKeysResponse{}, told(person.Forget(ctx, names...))
}

// allNamesOf gives both names of an account of the lab.
func (c *Control) allNamesOf(field, name string) ([]types.JID, error) {
	peer, err := peerOf(field, name)
	if err != nil {
		return nil, err
	}
	account, err := c.world.Server.Find(peer)
	if err != nil {
		return nil, err
	}
	return []types.JID{account.PN(), account.LIDJID()}, nil
}
