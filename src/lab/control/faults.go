package control

import (
	"context"

	waBinary "go.mau.fi/whatsmeow/binary"
	"google.golang.org/protobuf/types/known/durationpb"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/server"
)

// SetFault implements the contract.
func (c *Control) SetFault(_ context.Context, request *labv1.SetFaultRequest) (*labv1.SetFaultResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	wanted := request.GetFault()
	if err = sound(wanted); err != nil {
		return nil, err
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
		DelayTo:      wanted.GetDelayToDevice().AsDuration(),
		DelayFrom:    wanted.GetDelayFromDevice().AsDuration(),
		AckDelay:     wanted.GetAckDelay().AsDuration(),

		DuplicateCount: int(wanted.GetDuplicateCount()),
		RetriesLost:    wanted.GetRetriesLost(),
	}))
}

// sound tells what is wrong with a fault that is to be set.
func sound(wanted *labv1.SetFaultRequest_Fault) error {
	for field, number := range map[string]int32{
		"refuse_code": wanted.GetRefuseCode(), "refuse_count": wanted.GetRefuseCount(),
		"login_failure_code": wanted.GetLoginFailureCode(), "garble_count": wanted.GetGarbleCount(),
		"duplicate_count": wanted.GetDuplicateCount(),
	} {
		if number < 0 {
			return malformed("fault."+field, "0 or more")
		}
	}
	for field, lasting := range map[string]*durationpb.Duration{
		"ban_duration": wanted.GetBanDuration(), "ack_delay": wanted.GetAckDelay(),
		"delay_to_device": wanted.GetDelayToDevice(), "delay_from_device": wanted.GetDelayFromDevice(),
	} {
		if lasting != nil && (lasting.CheckValid() != nil || lasting.AsDuration() < 0) {
			return malformed("fault."+field, "0 or longer")
		}
	}
	return nil
}

// DropConnections implements the contract.
func (c *Control) DropConnections(
	_ context.Context, request *labv1.DropConnectionsRequest,
) (*labv1.DropConnectionsResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	lastWord, err := lastWordOf(request)
	if err != nil {
		return nil, err
	}
	dropped, err := c.world.Server.DropConnections(phone, lastWord)
	return &labv1.DropConnectionsResponse{DroppedCount: int32(dropped)}, told(err)
}

// lastWordOf is what devices are told before their connections end; nil for
// nothing.
func lastWordOf(request *labv1.DropConnectionsRequest) (*waBinary.Node, error) {
	var said waBinary.Node
	switch request.GetLastWord() {
	case labv1.DropConnectionsRequest_LAST_WORD_UNSPECIFIED:
		return nil, nil
	case labv1.DropConnectionsRequest_LAST_WORD_STREAM_END:
		said = server.StreamEnd()
	case labv1.DropConnectionsRequest_LAST_WORD_REPLACED:
		said = server.Replaced()
	case labv1.DropConnectionsRequest_LAST_WORD_ERROR:
		if request.GetErrorCode() <= 0 {
			return nil, malformed("error_code", "more than 0")
		}
		said = server.StreamError(int(request.GetErrorCode()))
	default:
		return nil, malformed("last_word", "one of the values of LastWord")
	}
	return &said, nil
}
