package fencedstore

import (
	"cmp"
	"context"
	"slices"

	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
)

// people knows who is who. All sessions of a tenant learn it for each other, in many processes: so nothing is kept in
// mind. whatsmeow's own map remembers also whom it did not find; here each question gets a map of its own.
type people struct{ used *dbutil.Database }

func (p people) afresh() *sqlstore.CachedLIDMap { return sqlstore.NewCachedLIDMap(p.used) }

func (p people) GetPNForLID(ctx context.Context, lid types.JID) (types.JID, error) {
	return p.afresh().GetPNForLID(ctx, lid)
}

func (p people) GetLIDForPN(ctx context.Context, phone types.JID) (types.JID, error) {
	return p.afresh().GetLIDForPN(ctx, phone)
}

func (p people) GetManyLIDsForPNs(ctx context.Context, phones []types.JID) (map[types.JID]types.JID, error) {
	return p.afresh().GetManyLIDsForPNs(ctx, phones)
}

func (p people) PutLIDMapping(ctx context.Context, lid, phone types.JID) error {
	return p.PutManyLIDMappings(ctx, []store.LIDMapping{{LID: lid, PN: phone}})
}

// PutManyLIDMappings writes what is new, in one order for all: two sessions that learn the same people at the same time
// would otherwise wait for each other.
func (p people) PutManyLIDMappings(ctx context.Context, pairs []store.LIDMapping) error {
	var phones []types.JID
	for _, pair := range pairs {
		phones = append(phones, pair.PN.ToNonAD())
	}
	known, err := p.GetManyLIDsForPNs(ctx, phones)
	if err != nil {
		return err
	}
	pairs = slices.DeleteFunc(slices.Clone(pairs), func(pair store.LIDMapping) bool {
		return known[pair.PN.ToNonAD()].User == pair.LID.User
	})
	slices.SortFunc(pairs, func(a, b store.LIDMapping) int {
		return cmp.Or(cmp.Compare(a.PN.User, b.PN.User), cmp.Compare(a.LID.User, b.LID.User))
	})
	if len(pairs) == 0 {
		return nil
	}
	return p.afresh().PutManyLIDMappings(ctx, pairs)
}
