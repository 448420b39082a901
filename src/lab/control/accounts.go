package control

import (
	"context"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/model"
)

// CreateAccount implements the contract.
func (c *Control) CreateAccount(
	_ context.Context, request *labv1.CreateAccountRequest,
) (*labv1.CreateAccountResponse, error) {
	account, err := c.newAccount(request.GetPhoneNumber(), request.GetPushName(), request.GetNaming())
	if err != nil {
		return nil, told(err)
	}
	described, err := c.describe(account.Phone)
	return &labv1.CreateAccountResponse{Account: described}, told(err)
}

func (c *Control) newAccount(
	number, name string, naming labv1.CreateAccountRequest_Naming,
) (*model.Account, error) {
	phone := ""
	if number != "" {
		var err error
		if phone, err = phoneOf("phone_number", number); err != nil {
			return nil, err
		}
	}
	form, ok := namings[naming]
	if !ok {
		return nil, malformed("naming", "one of the values of Naming")
	}
	return c.world.Server.CreateAccount(phone, "", name, form)
}

var namings = map[labv1.CreateAccountRequest_Naming]model.Naming{
	labv1.CreateAccountRequest_NAMING_UNSPECIFIED:    model.LIDWithPhone,
	labv1.CreateAccountRequest_NAMING_LID_ONLY:       model.LIDOnly,
	labv1.CreateAccountRequest_NAMING_PHONE_WITH_LID: model.PhoneWithLID,
	labv1.CreateAccountRequest_NAMING_PHONE_ONLY:     model.PhoneOnly,
}

// DeleteAccount implements the contract.
func (c *Control) DeleteAccount(
	_ context.Context, request *labv1.DeleteAccountRequest,
) (*labv1.DeleteAccountResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err == nil {
		err = c.world.Server.DeleteAccount(phone)
	}
	return &labv1.DeleteAccountResponse{}, told(err)
}

// ListAccounts implements the contract.
func (c *Control) ListAccounts(
	context.Context, *labv1.ListAccountsRequest,
) (*labv1.ListAccountsResponse, error) {
	response := &labv1.ListAccountsResponse{}
	for _, phone := range c.world.Server.Phones() {
		account, err := c.describe(phone)
		if err != nil {
			return nil, told(err)
		}
		response.Accounts = append(response.Accounts, account)
	}
	return response, nil
}

func (c *Control) describe(phone string) (*labv1.Account, error) {
	account, err := c.world.Server.Account(phone)
	if err != nil {
		return nil, err
	}
	devices, err := c.world.Server.ListDevices(phone)
	if err != nil {
		return nil, err
	}
	described := &labv1.Account{
		PhoneNumber: e164(account.Phone),
		Lid:         account.LIDJID().String(),
		PushName:    c.world.Server.Name(phone),
	}
	for _, device := range devices {
		described.Devices = append(described.Devices, &labv1.Device{
			Device:      int32(device.Number),
			Online:      device.Online,
			QueueSize:   int32(device.Queued),
			PrekeyCount: int32(device.PreKeys),
		})
	}
	return described, nil
}
