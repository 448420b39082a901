// The engine speaks WhatsApp Web for one worker: many sessions, one process. It speaks wagate.engine.v1 over a unix socket,
// and lives no longer than the worker that started it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"

	"wagate.dev/src/engine/fencedstore"
	"wagate.dev/src/engine/follow"
	"wagate.dev/src/engine/line"
	"wagate.dev/src/engine/logs"
	"wagate.dev/src/engine/service"
	"wagate.dev/src/engine/session"
)

const (
	// closePatience is how long closing all lines in order may take.
	closePatience = 4 * time.Second
	// tellPatience is how long the worker may then take to hear of it, and to end its calls.
	tellPatience = 500 * time.Millisecond
)

func main() {
	settings, err := parseSettings(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "wagate-engine:", err)
		os.Exit(2)
	}
	unix.Umask(0o077) // What this process writes holds keys.
	log := logs.New(os.Stderr, settings.logLevel)
	slog.SetDefault(log)
	workerGone, err := watchWorker()
	if err == nil {
		err = serve(settings, log, workerGone)
	}
	if err != nil {
		log.Error("the engine cannot go on", "error", err)
		os.Exit(1)
	}
}

// serve listens until it is told to stop, or the worker is gone.
func serve(settings *settings, log *slog.Logger, workerGone <-chan struct{}) error {
	network, labRootKey, err := settings.network()
	if err != nil {
		return err
	}
	prepareWhatsmeow(settings, labRootKey)
	if network.SpeaksToLab() {
		line.SealProcess()
		log.Warn("this engine speaks to a lab, not to WhatsApp, and dials nothing but this machine", "lab_address", network.Lab.String())
	}
	house := &session.House{
		Network: network, Databases: fencedstore.NewDatabases(network.MayDial), Desk: follow.NewDesk(log), Log: log, Pace: settings.pace,
		Reconnects: rate.NewLimiter(rate.Inf, 1),
	}
	registry := session.NewRegistry(house)
	server := service.New(house, registry).NewServer()
	listener, err := listen(settings.socket)
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	log.Info("the engine listens", "socket", settings.socket, "process_id", os.Getpid())

	stop, cancel := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer cancel()
	select {
	case err := <-stopped:
		return err
	case <-workerGone:
	case <-stop.Done():
		select {
		case <-closeInOrder(server, registry, house):
			return nil
		case <-workerGone:
		}
	}
	log.Warn("the worker is gone: the engine leaves at once") // It waits for nobody, least of all for a database.
	return nil
}

// listen opens a socket that only this user may connect to. It appears under its name once it can be connected to, in the
// place of one that an engine which is gone left over.
func listen(path string) (net.Listener, error) {
	defer unix.Umask(unix.Umask(0o177))
	unready := path + ".new"
	if err := os.Remove(unready); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing a socket left over: %w", err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: unready, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	if err := os.Rename(unready, path); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// closeInOrder closes all lines, lets the worker hear of it, and takes no more calls. Calls that still wait for WhatsApp
// then have nothing to wait for, and are cut off. What is returned is closed in the end.
func closeInOrder(server *grpc.Server, registry *session.Registry, house *session.House) <-chan struct{} {
	house.Log.Info("the engine closes its lines")
	closed, told, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		registry.CloseAll()
		close(closed)
		house.Desk.Finish()
		server.GracefulStop()
		house.Databases.Close()
		close(told)
	}()
	go func() {
		defer close(ended)
		if !isInTime(closed, closePatience) {
			house.Log.Warn("not all lines could be closed in time")
		}
		if !isInTime(told, tellPatience) {
			house.Log.Info("calls that were under way are cut off")
		}
		server.Stop()
	}()
	return ended
}

func isInTime(done <-chan struct{}, patience time.Duration) bool {
	select {
	case <-done:
		return true
	case <-time.After(patience):
		return false
	}
}
