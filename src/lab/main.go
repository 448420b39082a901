// wagate-lab is a WhatsApp on localhost that real clients can pair with, steered
// over wagate.lab.v1. It speaks with loopback only.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	waLog "go.mau.fi/whatsmeow/util/log"

	"wagate.dev/src/lab/control"
	"wagate.dev/src/lab/server"
	"wagate.dev/src/lab/world"
)

// What the process ends with.
const (
	exitFailed    = 1
	exitMisguided = 2 // told to do what it never does, such as listening to others
)

func main() {
	flags, err := parse(os.Args[1:])
	if err == nil {
		err = run(flags)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "wagate-lab:", err)
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	var outside *server.NotLoopback
	var controlOutside *control.NotLoopback
	var wrong *wrongFlags
	if errors.As(err, &outside) || errors.As(err, &controlOutside) || errors.As(err, &wrong) {
		return exitMisguided
	}
	return exitFailed
}

// run is the lab's life, from its first socket to SIGTERM, SIGINT or, if so
// wished, the end of the process that started it.
func run(flags flags) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	listener, err := control.Listen(flags.control)
	if err != nil {
		return err
	}
	defer listener.Close() // Serve has closed it before, unless the world did not open
	opened, cleanUp, err := open(flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close(), cleanUp()) }()
	service := control.New(opened)
	served := make(chan error, 1)
	go func() { served <- service.Serve(listener) }()
	defer service.Close(farewell)
	if err = announce(os.Stdout, opened, control.AddressOf(listener)); err != nil {
		return err
	}
	defer func() { endWithin(lastMoment, err) }()
	select {
	case <-ctx.Done():
		return nil
	case <-parentGone(flags.exitWithParent, os.Stdin):
		return nil
	case err = <-served:
		return err
	case <-opened.Server.Done():
		return errors.New("the lab's server ended by itself")
	}
}

// open opens the world in the data folder, or in a temporary one that cleanUp
// removes.
func open(flags flags) (opened *world.World, cleanUp func() error, err error) {
	cleanUp = func() error { return nil }
	if flags.data == "" {
		if flags.data, err = os.MkdirTemp("", "wagate-lab-"); err != nil {
			return nil, nil, err
		}
		cleanUp = func() error { return os.RemoveAll(flags.data) }
	}
	opened, err = world.Open(context.Background(), world.Options{
		Address: flags.listen, Data: flags.data, From: flags.world,
		Log:       slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: flags.level})),
		ClientLog: clientLog(flags.level),
	})
	if err != nil {
		return nil, nil, errors.Join(err, cleanUp())
	}
	return opened, cleanUp, nil
}

// clientLog lets the persons' clients speak when everything is to be told: they
// name numbers, which are made up here, in full.
func clientLog(level slog.Level) waLog.Logger {
	if level > slog.LevelDebug {
		return waLog.Noop
	}
	return personLog{slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))}
}
