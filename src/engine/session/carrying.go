package session

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.mau.fi/whatsmeow/types"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/convert"
	"wagate.dev/src/engine/fencedstore"
	"wagate.dev/src/engine/keystore"
	"wagate.dev/src/engine/refusal"
)

// carried is what is behind the name of a file whose keys lie in a database by now. Never open it again: keys that are
// advanced in two places are of no use in either.
const carried = ".carried"

// Carry moves a session's keys from their file into a database. The file's lock says that nobody uses it meanwhile. If it
// ends halfway, the file is still there, and the same call finishes it.
func (r *Registry) Carry(ctx context.Context, request *enginev1.CarrySessionRequest) (*enginev1.CarrySessionResponse, error) {
	id, fence, path := request.GetSessionId(), request.GetFence(), request.GetStorePath()
	if id == "" || path == "" || request.GetDatabase().GetUrl() == "" {
		return nil, refusal.Invalid("a session is carried by its id, from a file into a database")
	}
	defer r.alone(id)()
	if err := r.raise(id, fence); err != nil {
		return nil, err
	}
	if r.find(id) != nil {
		return nil, refusal.StoreLocked(path)
	}
	into, err := r.house.openInDatabase(ctx, placeOf(request), id, fence)
	if err != nil {
		return nil, err
	}
	answer, err := r.house.carry(ctx, id, path, into)
	return answer, errors.Join(err, into.Close())
}

func (h *House) carry(ctx context.Context, id, path string, into *fencedstore.Store) (*enginev1.CarrySessionResponse, error) {
	if isThere(path) {
		return h.carryFile(ctx, id, path, into)
	} else if !isThere(path + carried) {
		return nil, refusal.NothingToCarry(path)
	}
	device, err := into.Device(ctx, "")
	if err != nil {
		return nil, refusal.StoreDown(err)
	}
	return &enginev1.CarrySessionResponse{Device: convert.Device(device)}, nil
}

func (h *House) carryFile(ctx context.Context, id, path string, into *fencedstore.Store) (*enginev1.CarrySessionResponse, error) {
	from, err := h.openFile(ctx, path, id)
	if err != nil {
		return nil, err
	}
	answer, err := copied(ctx, from, into)
	if err := errors.Join(err, from.Close()); err != nil {
		return nil, fmt.Errorf("carrying the keys: %w", err)
	}
	if err := os.Rename(path, path+carried); err != nil {
		return nil, fmt.Errorf("putting aside the file whose keys were carried: %w", err)
	}
	return answer, nil
}

func copied(ctx context.Context, from *keystore.Keystore, into *fencedstore.Store) (*enginev1.CarrySessionResponse, error) {
	device, err := from.Device(ctx, "")
	if err != nil {
		return nil, err
	}
	var linked *types.JID
	if device != nil {
		linked = device.ID
	}
	rows, err := into.TakeIn(ctx, from.Database(), linked)
	if errors.Is(err, fencedstore.ErrLinkedElsewise) {
		return nil, refusal.AlreadyLinked()
	} else if err != nil {
		return nil, err
	}
	return &enginev1.CarrySessionResponse{Device: convert.Device(device), RowCount: rows}, nil
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
