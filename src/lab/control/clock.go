package control

import (
	"context"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// SetClock implements the contract.
func (c *Control) SetClock(_ context.Context, request *labv1.SetClockRequest) (*labv1.SetClockResponse, error) {
	if ahead := request.GetAhead(); ahead != nil && ahead.CheckValid() != nil {
		return nil, malformed("ahead", "a span of time")
	}
	c.world.Server.SetClock(request.GetAhead().AsDuration())
	return &labv1.SetClockResponse{}, nil
}
