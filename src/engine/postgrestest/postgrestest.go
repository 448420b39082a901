// Package postgrestest starts a PostgreSQL of the tests' own, which listens at a socket in its folder alone: of the
// machine's binaries if there are any, else of the Python wheel that `make setup` installs.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// needed in the environment makes a test fail for want of a PostgreSQL, instead of being skipped.
const needed = "WAGATE_TESTS_NEED_POSTGRES"

const (
	patience = time.Minute
	owner    = "wagate"
)

// server is a running server.
type server struct {
	folder string
	leave  chan struct{} // closed when it is to end
	ended  chan struct{}
	mu     sync.Mutex
	made   int
}

var shared struct {
	once   sync.Once
	server *server
	err    error
}

// Database is the URL of a new database, in a server that the tests of this program share. Without a PostgreSQL the test
// is skipped.
func Database(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = start(false) })
	return shared.server.database(t, shared.err)
}

// DurableDatabase is the URL of a database in a server of this test's own, whose commits wait for the disk.
func DurableDatabase(t testing.TB) string {
	t.Helper()
	server, err := start(true)
	if err == nil {
		t.Cleanup(server.stop)
	}
	return server.database(t, err)
}

func (s *server) database(t testing.TB, err error) string {
	t.Helper()
	if errors.Is(err, errMissing) && os.Getenv(needed) == "" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	url, err := s.newDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Stop ends the server that tests share, if there is one. Programs of tests call it last.
func Stop() {
	if shared.server != nil {
		shared.server.stop()
	}
}

// start makes a server and waits until it serves. Durable commits wait for the disk.
func start(durable bool) (*server, error) {
	postgres, err := program("postgres")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "wagate-postgres-")
	if err != nil {
		return nil, err
	}
	s := &server{folder: folder, leave: make(chan struct{}), ended: make(chan struct{})}
	if err := s.serve(postgres, durable); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

func (s *server) serve(postgres string, durable bool) error {
	who, err := servant()
	if err != nil {
		return err
	} else if who != nil {
		if err := os.Chown(s.folder, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
	}
	if postgres, err = within(s.folder, postgres, who); err != nil {
		return err
	}
	data := filepath.Join(s.folder, "data")
	initdb := exec.Command(filepath.Join(filepath.Dir(postgres), "initdb"), "-D", data,
		"--username", owner, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = s.folder, &syscall.SysProcAttr{Credential: who}
	if said, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("PostgreSQL could not be made: %w\n%s", err, said)
	}
	options := []string{"-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.folder,
		"-c", "unix_socket_permissions=0700", "-c", "max_connections=100", "-c", "log_min_messages=warning"}
	if !durable {
		options = append(options, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	running := exec.Command(postgres, options...)
	running.Dir = s.folder
	running.SysProcAttr = &syscall.SysProcAttr{Credential: who, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go s.keep(running, started)
	if err := <-started; err != nil {
		return err
	}
	if err := s.serves(); err != nil {
		s.end()
		return err
	}
	return nil
}

// keep runs the server on a thread of its own: it dies with the thread that started it.
func (s *server) keep(running *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.ended)
	if err := running.Start(); err != nil {
		started <- err
		return
	}
	started <- nil
	<-s.leave
	running.Process.Signal(syscall.SIGINT) //nolint:errcheck // it may have ended
	running.Wait()                         //nolint:errcheck // however it ended
}

func (s *server) serves() error {
	deadline := time.Now().Add(patience)
	for {
		conn, err := pgx.Connect(context.Background(), s.urlOf("postgres"))
		if err == nil {
			return conn.Close(context.Background())
		} else if time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// newDatabase is the URL of a new database.
func (s *server) newDatabase(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn, err := pgx.Connect(ctx, s.urlOf("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx) //nolint:errcheck // nothing hangs on it
	s.made++
	name := "test_" + strconv.Itoa(s.made)
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return s.urlOf(name), err
}

func (s *server) urlOf(name string) string {
	return "postgresql://" + owner + "@/" + name + "?host=" + s.folder
}

// stop ends the server and removes what it had.
func (s *server) stop() {
	s.end()
	os.RemoveAll(s.folder)
}

func (s *server) end() {
	close(s.leave)
	<-s.ended
}
