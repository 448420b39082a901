package control

import (
	"context"
	"fmt"

	waBinary "go.mau.fi/whatsmeow/binary"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/model"
)

// mostTexts is how many texts can be said in one go.
const mostTexts = 100_000

// SayMany implements the contract.
func (c *Control) SayMany(ctx context.Context, request *labv1.SayManyRequest) (*labv1.SayManyResponse, error) {
	speaker, err := c.world.Cast.Find(request.GetPersonId())
	if err != nil {
		return nil, told(err)
	}
	to, err := peerOf("to", request.GetTo())
	if err != nil {
		return nil, err
	}
	if request.GetCount() < 1 || request.GetCount() > mostTexts {
		return nil, malformed("count", fmt.Sprintf("1 to %d", mostTexts))
	}
	texts := make([]string, request.GetCount())
	for i := range texts {
		texts[i] = fmt.Sprintf("%s %d", request.GetText(), i+1)
	}
	device := model.Address{Phone: speaker.Phone, Number: speaker.Device}
	ids, err := speaker.Recite(ctx, to, texts, func(messages []waBinary.Node) error {
		return c.world.Server.TakeMany(device, messages)
	})
	return &labv1.SayManyResponse{ProviderMessageIds: ids}, told(err)
}
