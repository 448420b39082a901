package control

import (
	"context"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/fault"
)

// SetFault implements the contract.
func (c *Control) SetFault(_ context.Context, request *labv1.SetFaultRequest) (*labv1.SetFaultResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	wanted := request.GetFault()
	if min(wanted.GetRefuseCode(), wanted.GetRefuseCount(), wanted.GetLoginFailureCode(), wanted.GetGarbleCount()) < 0 {
		return nil, malformed("refuse_code, refuse_count, login_failure_code and garble_count", "0 or more")
	}
	return &labv1.SetFaultResponse{}, told(c.world.Server.SetFault(phone, fault.Fault{
		Frozen:       wanted.GetFrozen(),
		AcksHeld:     wanted.GetAcksHeld(),
		AcksLost:     wanted.GetAcksLost(),
		RefuseCode:   int(wanted.GetRefuseCode()),
		RefuseCount:  int(wanted.GetRefuseCount()),
		Unreachable:  wanted.GetUnreachable(),
		LoginFailure: int(wanted.GetLoginFailureCode()),
		Ban:          wanted.GetBanDuration().AsDuration(),
		GarbleCount:  int(wanted.GetGarbleCount()),
	}))
}

// DropConnections implements the contract.
func (c *Control) DropConnections(
	_ context.Context, request *labv1.DropConnectionsRequest,
) (*labv1.DropConnectionsResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	dropped, err := c.world.Server.DropConnections(phone)
	return &labv1.DropConnectionsResponse{DroppedCount: int32(dropped)}, told(err)
}
