package control

import (
	"context"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// DrainPreKeys implements the contract.
func (c *Control) DrainPreKeys(
	_ context.Context, request *labv1.DrainPreKeysRequest,
) (*labv1.DrainPreKeysResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	if request.GetLeft() < 0 {
		return nil, malformed("left", "0 or more")
	}
	return &labv1.DrainPreKeysResponse{},
		told(c.world.Server.DrainPreKeys(phone, int(request.GetLeft()), request.GetTold()))
}
