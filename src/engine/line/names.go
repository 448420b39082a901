package line

import (
	"context"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// names watches what whatsmeow learns about who is who, and tells of each pair that is new.
type names struct {
	store.LIDStore
	learned func(lid, phone types.JID)
}

func (n names) PutLIDMapping(ctx context.Context, lid, phone types.JID) error {
	isNew := n.isNew(ctx, lid, phone)
	if err := n.LIDStore.PutLIDMapping(ctx, lid, phone); err != nil {
		return err
	}
	if isNew {
		n.learned(lid.ToNonAD(), phone.ToNonAD())
	}
	return nil
}

func (n names) PutManyLIDMappings(ctx context.Context, pairs []store.LIDMapping) error {
	var fresh []store.LIDMapping
	for _, pair := range pairs {
		if n.isNew(ctx, pair.LID, pair.PN) {
			fresh = append(fresh, pair)
		}
	}
	if err := n.LIDStore.PutManyLIDMappings(ctx, pairs); err != nil {
		return err
	}
	for _, pair := range fresh {
		n.learned(pair.LID.ToNonAD(), pair.PN.ToNonAD())
	}
	return nil
}

// isNew says false for what is no pair of a LID and a phone number, and when the store cannot be asked: a pair untold is
// told with the next message of that person, beside the message itself.
func (n names) isNew(ctx context.Context, lid, phone types.JID) bool {
	if lid.Server != types.HiddenUserServer || phone.Server != types.DefaultUserServer {
		return false
	}
	known, err := n.LIDStore.GetLIDForPN(ctx, phone)
	return err == nil && known.User != lid.User
}
