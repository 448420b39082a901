// Package refusal names the reasons for which the engine says no to its worker.
package refusal

import (
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Domain is the domain of every ErrorInfo that the engine sends.
const Domain = "engine.wagate.dev"

// Refusal is a no with a reason that a worker can act upon. gRPC carries it as a status with an ErrorInfo.
type Refusal struct {
	Code    codes.Code
	Reason  string
	Message string
}

// Error says it in one sentence.
func (r *Refusal) Error() string { return r.Reason + ": " + r.Message }

// GRPCStatus puts the refusal on the wire.
func (r *Refusal) GRPCStatus() *status.Status {
	bare := status.New(r.Code, r.Message)
	detailed, err := bare.WithDetails(&errdetails.ErrorInfo{Reason: r.Reason, Domain: Domain})
	if err != nil {
		return bare
	}
	return detailed
}

// FenceStale refuses a caller whose lease was given to someone else.
func FenceStale(fence, highest int64) error {
	return &Refusal{codes.FailedPrecondition, "FENCE_STALE", fmt.Sprintf("fence %d is lower than %d", fence, highest)}
}

// LeaseExpired refuses a caller whose lease ran out.
func LeaseExpired() error {
	return &Refusal{codes.FailedPrecondition, "LEASE_EXPIRED", "the lease has run out: open the session again"}
}

// SessionNotOpen refuses a call for a session that is not open here.
func SessionNotOpen() error {
	return &Refusal{codes.NotFound, "SESSION_NOT_OPEN", "the session is not open in this engine"}
}

// LineDown refuses a call that needs WhatsApp while the line is down.
func LineDown(why string) error {
	return &Refusal{codes.Unavailable, "LINE_DOWN", why}
}

// StoreLocked refuses to open a store that another process holds.
func StoreLocked(path string) error {
	return &Refusal{codes.Aborted, "STORE_LOCKED", "another process holds " + path}
}

// StoreCorrupt refuses to open a store that cannot be read.
func StoreCorrupt(why error) error {
	return &Refusal{codes.DataLoss, "STORE_CORRUPT", "the store cannot be read: " + why.Error()}
}

// StoreDown refuses to open a store whose database cannot be used now.
func StoreDown(why error) error {
	return &Refusal{codes.Unavailable, "STORE_DOWN", "the database of the keys cannot be used: " + why.Error()}
}

// NothingToCarry refuses to carry a session that has no file.
func NothingToCarry(path string) error {
	return &Refusal{codes.NotFound, "NOTHING_TO_CARRY", "there is no file " + path}
}

// AlreadyLinked refuses to pair a session that has a device.
func AlreadyLinked() error {
	return &Refusal{codes.FailedPrecondition, "ALREADY_LINKED", "a device is linked: log out first"}
}

// NoSuchChallenge refuses an answer to what was not asked.
func NoSuchChallenge() error {
	return &Refusal{codes.FailedPrecondition, "NO_SUCH_CHALLENGE", "no such pairing step waits for an answer"}
}

// Invalid refuses a request that no engine could carry out.
func Invalid(format string, arguments ...any) error {
	return status.Errorf(codes.InvalidArgument, format, arguments...)
}
