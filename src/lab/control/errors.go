package control

import (
	"context"
	"errors"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/pair"
	"wagate.dev/src/lab/person"
	"wagate.dev/src/lab/server"
	"wagate.dev/src/lab/world"
)

// outcomes says which code tells which error. The first match counts.
var outcomes = []struct {
	err  error
	code codes.Code
}{
	{model.ErrUnknownAccount, codes.NotFound},
	{model.ErrUnknownDevice, codes.NotFound},
	{model.ErrUnknownGroup, codes.NotFound},
	{model.ErrAccountExists, codes.AlreadyExists},
	{model.ErrMalformedNumber, codes.InvalidArgument},
	{model.ErrTooManyDevices, codes.ResourceExhausted},
	{model.ErrNoFreeNumber, codes.ResourceExhausted},
	{pair.ErrMalformedQR, codes.InvalidArgument},
	{pair.ErrUnknownRef, codes.FailedPrecondition},
	{pair.ErrForeignKeys, codes.FailedPrecondition},
	{pair.ErrNoCodeRequested, codes.FailedPrecondition},
	{pair.ErrWrongCode, codes.FailedPrecondition},
	{pair.ErrConnectionLost, codes.FailedPrecondition},
	{pair.ErrBadSignature, codes.FailedPrecondition},
	{pair.ErrBusy, codes.FailedPrecondition},
	{person.ErrUnknown, codes.NotFound},
	{person.ErrNobody, codes.NotFound},
	{person.ErrStranger, codes.FailedPrecondition},
	{person.ErrOffline, codes.FailedPrecondition},
	{person.ErrUnlinked, codes.FailedPrecondition},
	{person.ErrRefused, codes.FailedPrecondition},
	{person.ErrMalformed, codes.InvalidArgument},
	{person.ErrNotConnected, codes.Unavailable},
	{person.ErrUnanswered, codes.DeadlineExceeded},
	{server.ErrOffline, codes.FailedPrecondition},
	{server.ErrRefused, codes.FailedPrecondition},
	{world.ErrNotEmpty, codes.AlreadyExists},
	{context.Canceled, codes.Canceled},
	{context.DeadlineExceeded, codes.DeadlineExceeded},
}

// told turns an error of the lab into one of gRPC, with a sentence. What the
// table does not know is a fault of the lab itself.
func told(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	if refused := (*pair.Refused)(nil); errors.As(err, &refused) {
		return status.Error(codes.FailedPrecondition, sentence(err))
	}
	for _, outcome := range outcomes {
		if errors.Is(err, outcome.err) {
			return status.Error(outcome.code, sentence(err))
		}
	}
	return status.Error(codes.Internal, sentence(err))
}

func sentence(err error) string {
	first, size := utf8.DecodeRuneInString(err.Error())
	return string(unicode.ToUpper(first)) + err.Error()[size:] + "."
}
