package person

import (
	"context"
	"fmt"

	"go.mau.fi/whatsmeow"
)

// link pairs the person with its account by QR: it shows one, and the
// account's phone scans it.
func (p *Person) link(ctx context.Context, scan func(context.Context, string, string) (uint16, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	shown, err := p.client.GetQRChannel(ctx)
	if err != nil {
		return err
	}
	if err = p.client.Connect(); err != nil {
		return fmt.Errorf("%s %w: %w", p.ID, ErrNotConnected, err)
	}
	code := <-shown
	if code.Event != whatsmeow.QRChannelEventCode {
		return fmt.Errorf("%s %w: no QR but %s", p.ID, ErrNotConnected, code.Event)
	}
	if p.Device, err = scan(ctx, p.Phone, code.Code); err != nil {
		return err
	}
	if err = p.connected.Wait(ctx); err != nil {
		return fmt.Errorf("%s %w after linking: %w", p.ID, ErrNotConnected, err)
	}
	if err = p.client.Store.Save(ctx); err != nil {
		return err
	}
	return p.store.writePerson(ctx, p)
}
