package service

import (
	"context"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/fencedstore"
	"wagate.dev/src/engine/refusal"
)

// ListKeptSessions names the sessions whose keys lie in a database.
func (s *Service) ListKeptSessions(
	ctx context.Context, request *enginev1.ListKeptSessionsRequest,
) (*enginev1.ListKeptSessionsResponse, error) {
	database, err := s.database(request.GetDatabase())
	if err != nil {
		return nil, err
	}
	kept, err := database.Kept(ctx)
	if err != nil {
		return nil, refusal.StoreDown(err)
	}
	return &enginev1.ListKeptSessionsResponse{SessionIds: kept}, nil
}

// EraseKeptSession forgets the keys of a session that is gone for good.
func (s *Service) EraseKeptSession(
	ctx context.Context, request *enginev1.EraseKeptSessionRequest,
) (*enginev1.EraseKeptSessionResponse, error) {
	database, err := s.database(request.GetDatabase())
	if err != nil {
		return nil, err
	}
	if err := database.Forget(ctx, request.GetSessionId()); err != nil {
		return nil, refusal.StoreDown(err)
	}
	return &enginev1.EraseKeptSessionResponse{}, nil
}

// CarrySession moves a session's keys from their file into a database.
func (s *Service) CarrySession(ctx context.Context, request *enginev1.CarrySessionRequest) (*enginev1.CarrySessionResponse, error) {
	return s.registry.Carry(ctx, request)
}

func (s *Service) database(named *enginev1.KeyDatabase) (*fencedstore.Database, error) {
	found, err := s.house.Databases.At(named.GetUrl(), named.GetMostConnections())
	if err != nil {
		return nil, refusal.Invalid("%s", err)
	}
	return found, nil
}
