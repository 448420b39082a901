package control

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/model"
)

// ScanQr implements the contract.
func (c *Control) ScanQr(ctx context.Context, request *labv1.ScanQrRequest) (*labv1.ScanQrResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	jid, err := c.world.Server.ScanQR(ctx, phone, request.GetQrText())
	return &labv1.ScanQrResponse{Device: int32(jid.Device)}, told(err)
}

// EnterPairingCode implements the contract.
func (c *Control) EnterPairingCode(
	ctx context.Context, request *labv1.EnterPairingCodeRequest,
) (*labv1.EnterPairingCodeResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	jid, err := c.world.Server.EnterCode(ctx, phone, request.GetCode())
	return &labv1.EnterPairingCodeResponse{Device: int32(jid.Device)}, told(err)
}

// UnlinkDevice implements the contract.
func (c *Control) UnlinkDevice(
	_ context.Context, request *labv1.UnlinkDeviceRequest,
) (*labv1.UnlinkDeviceResponse, error) {
	phone, err := phoneOf("phone_number", request.GetPhoneNumber())
	if err != nil {
		return nil, err
	}
	numbers, err := c.devicesMeant(phone, request.GetDevice())
	if err != nil {
		return nil, told(err)
	}
	for _, number := range numbers {
		if err = c.world.Server.RemoveDevice(phone, number); err != nil {
			return nil, told(err)
		}
	}
	return &labv1.UnlinkDeviceResponse{}, nil
}

// devicesMeant lists one device of an account, or all for 0.
func (c *Control) devicesMeant(phone string, device int32) ([]uint16, error) {
	if device < 0 || device > model.LargestDevice {
		return nil, status.Errorf(codes.InvalidArgument, "device must be between 0 and %d.", model.LargestDevice)
	}
	if device != 0 {
		return []uint16{uint16(device)}, nil
	}
	devices, err := c.world.Server.ListDevices(phone)
	numbers := make([]uint16, len(devices))
	for i, each := range devices {
		numbers[i] = each.Number
	}
	return numbers, err
}
