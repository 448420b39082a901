package fencedstore

import (
	"context"

	"go.mau.fi/whatsmeow/store"
)

// devices stores a device, and whose it is, as one.
type devices struct {
	store.DeviceContainer
	of *Store
}

const (
	// A device's name is given to another only when it is unlinked: what is left under it then is of no use.
	forgetFormer = `
		DELETE FROM whatsmeow_device WHERE jid = $2
			AND NOT EXISTS (SELECT 1 FROM engine_device WHERE session_id = $1 AND jid = $2)`
	forgetFormerOwner = "DELETE FROM engine_device WHERE jid = $2 AND session_id <> $1"
	nameOwner         = `
		INSERT INTO engine_device (session_id, jid) VALUES ($1, $2)
		ON CONFLICT (session_id) DO UPDATE SET jid = excluded.jid WHERE engine_device.jid <> excluded.jid`
)

func (d devices) PutDevice(ctx context.Context, device *store.Device) error {
	defer d.of.adopted(device) // whatsmeow gives it stores of its own choice.
	if device.Initialized {
		return d.DeviceContainer.PutDevice(ctx, device)
	}
	return d.of.used.DoTxn(ctx, nil, func(ctx context.Context) error {
		for _, statement := range []string{forgetFormer, forgetFormerOwner, nameOwner} {
			if _, err := d.of.used.Exec(ctx, statement, d.of.session, device.ID.String()); err != nil {
				return err
			}
		}
		return d.DeviceContainer.PutDevice(ctx, device)
	})
}

func (d devices) DeleteDevice(ctx context.Context, _ *store.Device) error { return d.of.Erase(ctx) }
