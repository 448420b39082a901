package control

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// BanAccount implements the contract.
func (c *Control) BanAccount(_ context.Context, request *labv1.BanAccountRequest) (*labv1.BanAccountResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	if request.GetReasonCode() < 0 {
		return nil, malformed("reason_code", "0 or more")
	}
	until, err := endOf("duration", request.GetDuration())
	if err != nil {
		return nil, err
	}
	return &labv1.BanAccountResponse{UntilTime: timestamppb.New(until)},
		told(c.world.Server.Ban(phone, until, int(request.GetReasonCode())))
}

// LockReachout implements the contract.
func (c *Control) LockReachout(
	_ context.Context, request *labv1.LockReachoutRequest,
) (*labv1.LockReachoutResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	if request.GetDuration() == nil {
		return &labv1.LockReachoutResponse{}, told(c.world.Server.LockReachout(phone, time.Time{}))
	}
	until, err := endOf("duration", request.GetDuration())
	if err != nil {
		return nil, err
	}
	return &labv1.LockReachoutResponse{UntilTime: timestamppb.New(until)},
		told(c.world.Server.LockReachout(phone, until))
}

// LiftRestrictions implements the contract.
func (c *Control) LiftRestrictions(
	_ context.Context, request *labv1.LiftRestrictionsRequest,
) (*labv1.LiftRestrictionsResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	return &labv1.LiftRestrictionsResponse{}, told(c.world.Server.LiftRestrictions(phone))
}

// endOf tells when something that lasts so long from now on ends.
func endOf(field string, lasting *durationpb.Duration) (time.Time, error) {
	if lasting.CheckValid() != nil || lasting.AsDuration() <= 0 {
		return time.Time{}, malformed(field, "longer than 0")
	}
	return time.Now().Add(lasting.AsDuration()), nil
}
