package service

import (
	"context"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	"wagate.dev/src/engine/refusal"
)

// StartPairing begins an attempt.
func (s *Service) StartPairing(_ context.Context, request *enginev1.StartPairingRequest) (*enginev1.StartPairingResponse, error) {
	open, err := s.registry.Acting(request.GetSessionId(), request.GetFence())
	if err != nil {
		return nil, err
	}
	if err := open.StartPairing(request.GetAttemptId(), request.GetPhoneNumber()); err != nil {
		return nil, err
	}
	return &enginev1.StartPairingResponse{}, nil
}

// AnswerPairingChallenge hands on the answer to a passkey step.
func (s *Service) AnswerPairingChallenge(
	_ context.Context, request *enginev1.AnswerPairingChallengeRequest,
) (*enginev1.AnswerPairingChallengeResponse, error) {
	open, err := s.registry.Acting(request.GetSessionId(), request.GetFence())
	if err != nil {
		return nil, err
	}
	switch answer := request.GetAnswer().(type) {
	case *enginev1.AnswerPairingChallengeRequest_WebauthnResponseJson:
		err = open.AnswerPasskey(request.GetAttemptId(), answer.WebauthnResponseJson)
	case *enginev1.AnswerPairingChallengeRequest_CodesAgree:
		err = open.AnswerCodes(request.GetAttemptId(), answer.CodesAgree)
	default:
		err = refusal.Invalid("the answer is missing")
	}
	if err != nil {
		return nil, err
	}
	return &enginev1.AnswerPairingChallengeResponse{}, nil
}

// CancelPairing ends the attempt under way.
func (s *Service) CancelPairing(_ context.Context, request *enginev1.CancelPairingRequest) (*enginev1.CancelPairingResponse, error) {
	open, err := s.registry.Acting(request.GetSessionId(), request.GetFence())
	if err != nil {
		return nil, err
	}
	open.CancelPairing()
	return &enginev1.CancelPairingResponse{}, nil
}
