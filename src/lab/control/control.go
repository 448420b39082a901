// Package control answers wagate.lab.v1: what tests and demos steer a lab by.
// One file per group of calls; each call only maps between the contract and
// the lab.
package control

import (
	"context"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/world"
)

// Control is the service. It knows a world and nothing else.
type Control struct {
	labv1.UnsafeLabServiceServer // a call that is missing here does not compile

	world   *world.World
	started time.Time
	grpc    *grpc.Server
	leaving context.Context // ends when streams have to
	leave   context.CancelFunc
}

// New makes the service for a world.
func New(world *world.World) *Control {
	control := &Control{world: world, started: time.Now(), grpc: grpc.NewServer()}
	control.leaving, control.leave = context.WithCancel(context.Background())
	labv1.RegisterLabServiceServer(control.grpc, control)
	reflection.Register(control.grpc)
	return control
}

// Serve answers calls until Close.
func (c *Control) Serve(listener net.Listener) error {
	if err := c.grpc.Serve(listener); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Close ends all streams, lets other calls finish for as long as patience says,
// and cuts off the rest.
func (c *Control) Close(patience time.Duration) {
	c.leave()
	cut := time.AfterFunc(patience, c.grpc.Stop)
	defer cut.Stop()
	c.grpc.GracefulStop()
}
