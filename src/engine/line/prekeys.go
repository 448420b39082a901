package line

import (
	"context"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/util/keys"
)

// preKeys makes many keys in one transaction. whatsmeow makes the 812 of a new device one by one, each of which would
// wait for the disk.
type preKeys struct {
	store.PreKeyStore
	transactions store.EventBuffer
}

func (p preKeys) GetOrGenPreKeys(ctx context.Context, count uint32) (made []*keys.PreKey, err error) {
	err = p.transactions.DoDecryptionTxn(ctx, func(ctx context.Context) (err error) {
		made, err = p.PreKeyStore.GetOrGenPreKeys(ctx, count)
		return err
	})
	return made, err
}

// GenOnePreKey takes the transaction first as well: it shares a lock with GetOrGenPreKeys, and the two must take both in
// the same order.
func (p preKeys) GenOnePreKey(ctx context.Context) (made *keys.PreKey, err error) {
	err = p.transactions.DoDecryptionTxn(ctx, func(ctx context.Context) (err error) {
		made, err = p.PreKeyStore.GenOnePreKey(ctx)
		return err
	})
	return made, err
}
