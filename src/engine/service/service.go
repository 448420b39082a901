// Package service answers the worker: EngineService over gRPC, a few lines per call.
package service

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/follow"
	"wagate.dev/src/engine/session"
)

// Version is the engine's own version.
const Version = "0.1.0"

const (
	maxFrame  = 16 << 20
	pingPause = 10 * time.Second // a worker that pings more often is taken for a flood
)

// Service is EngineService.
type Service struct {
	enginev1.UnimplementedEngineServiceServer
	registry *session.Registry
	house    *session.House
}

// New makes the service of a house's sessions.
func New(house *session.House, registry *session.Registry) *Service {
	return &Service{registry: registry, house: house}
}

// NewServer makes a gRPC server that speaks for the service. A panic in a call fails that call only.
func (s *Service) NewServer() *grpc.Server {
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(maxFrame),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingPause, PermitWithoutStream: true}),
		grpc.UnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, call grpc.UnaryHandler) (answer any, err error) {
			defer failOnPanic(s.house.Log, info.FullMethod, &err)
			return call(ctx, request)
		}),
		grpc.StreamInterceptor(func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, call grpc.StreamHandler) (err error) {
			defer failOnPanic(s.house.Log, info.FullMethod, &err)
			return call(service, stream)
		}),
	)
	enginev1.RegisterEngineServiceServer(server, s)
	return server
}

func failOnPanic(log *slog.Logger, call string, err *error) {
	if cause := recover(); cause != nil {
		log.Error("a call panicked", "call", call, "cause", cause, "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "the engine failed in this call")
	}
}

// GetEngine says what the engine is.
func (s *Service) GetEngine(context.Context, *enginev1.GetEngineRequest) (*enginev1.GetEngineResponse, error) {
	answer := &enginev1.GetEngineResponse{
		Version:          Version,
		WhatsmeowVersion: whatsmeowVersion(),
		ProcessId:        int32(os.Getpid()),
		OpenSessions:     int32(len(s.registry.All())),
	}
	if s.house.Network.SpeaksToLab() {
		answer.LabAddress = s.house.Network.Lab.String()
	}
	return answer, nil
}

// whatsmeowVersion is the version of whatsmeow that this program was built with.
func whatsmeowVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "go.mau.fi/whatsmeow" {
				return module.Version
			}
		}
	}
	return "unknown"
}

// Follow tells what happens and takes the settlements. The first frame opens it.
func (s *Service) Follow(stream grpc.BidiStreamingServer[enginev1.FollowRequest, enginev1.FollowResponse]) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := stream.SendHeader(nil); err != nil {
		return err
	}
	go s.settle(stream)
	err := s.house.Desk.Follow(stream.Context(), func(items []*enginev1.Item) error {
		return stream.Send(&enginev1.FollowResponse{Items: items})
	}, s.retell)
	switch err {
	case follow.ErrReplaced:
		return status.Error(codes.Aborted, "another stream follows")
	case follow.ErrFinished:
		return status.Error(codes.Unavailable, "the engine leaves")
	}
	return err
}

// settle takes what the worker says about items, until its stream ends.
func (s *Service) settle(stream grpc.BidiStreamingServer[enginev1.FollowRequest, enginev1.FollowResponse]) {
	for {
		frame, err := stream.Recv()
		if err != nil {
			return
		}
		for _, said := range frame.GetSettlements() {
			settlement := follow.Stored
			if said.GetRefused() {
				settlement = follow.Refused
			}
			s.house.Desk.Settle(said.GetItemId(), settlement)
		}
	}
}

func (s *Service) retell() {
	for _, open := range s.registry.All() {
		open.Retell()
	}
}
