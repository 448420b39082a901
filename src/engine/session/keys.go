package session

import (
	"context"
	"errors"
	"time"

	"go.mau.fi/whatsmeow/store"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/fencedstore"
	"wagate.dev/src/engine/keystore"
	"wagate.dev/src/engine/refusal"
)

// keys is the store of a session's keys, while it is open: a file of its own, or its part of a database.
type keys interface {
	Device(ctx context.Context, named string) (*store.Device, error)
	NewDevice() *store.Device
	KeepHistoryNotice(ctx context.Context, messageID string, arrived time.Time, notice []byte) error
	Erase(ctx context.Context) error
	// Raise lets the store stay open under a higher fence. It says false if it was opened elsewhere meanwhile.
	Raise(ctx context.Context, fence int64) (isOurs bool, err error)
	// Lost holds a sign once it was seen that somebody else opened the store.
	Lost() <-chan struct{}
	Close() error
}

// place is where a session's keys lie: a file's path, or a database and whose part of it.
type place struct {
	path            string
	database        string
	tenant          string
	mostConnections int32
}

func placeOf(request interface {
	GetStorePath() string
	GetDatabase() *enginev1.KeyDatabase
}) place {
	database := request.GetDatabase()
	if database.GetUrl() == "" {
		return place{path: request.GetStorePath()}
	}
	return place{database: database.GetUrl(), tenant: database.GetTenantId(), mostConnections: database.GetMostConnections()}
}

// open opens a session's keys, for the holder of this fence alone.
func (h *House) open(ctx context.Context, at place, id string, fence int64) (keys, error) {
	if at.database != "" {
		opened, err := h.openInDatabase(ctx, at, id, fence)
		if err != nil {
			return nil, err
		}
		return opened, nil
	}
	opened, err := h.openFile(ctx, at.path, id)
	if err != nil {
		return nil, err
	}
	return opened, nil
}

func (h *House) openFile(ctx context.Context, path, id string) (*keystore.Keystore, error) {
	opened, err := keystore.Open(ctx, path, h.Log.With("session_id", id))
	switch {
	case errors.Is(err, keystore.ErrLocked):
		return nil, refusal.StoreLocked(path)
	case errors.Is(err, keystore.ErrCorrupt):
		return nil, refusal.StoreCorrupt(err)
	}
	return opened, err
}

func (h *House) openInDatabase(ctx context.Context, at place, id string, fence int64) (*fencedstore.Store, error) {
	database, err := h.Databases.At(at.database, at.mostConnections)
	if err != nil {
		return nil, refusal.Invalid("%s", err)
	}
	opened, err := database.Open(ctx, at.tenant, id, fence, h.Log.With("session_id", id))
	var stale *fencedstore.StaleError
	switch {
	case errors.As(err, &stale):
		return nil, refusal.FenceStale(fence, stale.Highest)
	case err != nil:
		return nil, refusal.StoreDown(err)
	}
	return opened, nil
}
