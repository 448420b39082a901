package service

import (
	"context"

	"golang.org/x/time/rate"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/lease"
)

// OpenSession opens a session, or takes it over.
func (s *Service) OpenSession(ctx context.Context, request *enginev1.OpenSessionRequest) (*enginev1.OpenSessionResponse, error) {
	device, err := s.registry.Open(ctx, request, lease.Now())
	if err != nil {
		return nil, err
	}
	return &enginev1.OpenSessionResponse{Device: device}, nil
}

// RenewLeases lets leases last longer.
func (s *Service) RenewLeases(_ context.Context, request *enginev1.RenewLeasesRequest) (*enginev1.RenewLeasesResponse, error) {
	read := lease.Now()
	if pace := request.GetReconnectsPerSecond(); pace > 0 {
		s.house.Reconnects.SetLimit(rate.Limit(pace))
	}
	answer := &enginev1.RenewLeasesResponse{}
	for _, held := range request.GetLeases() {
		if !s.registry.Renew(held.GetSessionId(), held.GetFence(), read+held.GetRemaining().AsDuration()) {
			answer.RefusedSessionIds = append(answer.RefusedSessionIds, held.GetSessionId())
		}
	}
	return answer, nil
}

// CloseSession drops the line and releases the store.
func (s *Service) CloseSession(_ context.Context, request *enginev1.CloseSessionRequest) (*enginev1.CloseSessionResponse, error) {
	if err := s.registry.Close(request.GetSessionId(), request.GetFence()); err != nil {
		return nil, err
	}
	return &enginev1.CloseSessionResponse{}, nil
}

// LogoutSession unlinks the device.
func (s *Service) LogoutSession(ctx context.Context, request *enginev1.LogoutSessionRequest) (*enginev1.LogoutSessionResponse, error) {
	open, err := s.registry.Acting(request.GetSessionId(), request.GetFence())
	if err != nil {
		return nil, err
	}
	unlinked, err := open.Logout(ctx)
	if err != nil {
		return nil, err
	}
	return &enginev1.LogoutSessionResponse{Unlinked: unlinked}, nil
}
