package line

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"wagate.dev/src/engine/lease"
)

const patience = 5 * time.Second

// connected returns a leased connection and the far end of it.
func connected(t *testing.T, held *lease.Lease) (*leasedConn, net.Conn) {
	t.Helper()
	return connectedWith(t, held, func() {}, func() bool { return true })
}

func connectedWith(t *testing.T, held *lease.Lease, heard func(), mayRead func() bool) (*leasedConn, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	conn := newLeasedConn(near, held, heard, mayRead)
	t.Cleanup(func() { conn.Close() })
	if err := far.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn, far
}

func TestWithALeaseBytesPass(t *testing.T) {
	conn, far := connected(t, lease.New(lease.Now()+time.Hour))
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := far.Read(got); err != nil || string(got) != "hello" {
		t.Fatalf("the far end got %q (%v)", got, err)
	}
	if _, err := far.Write([]byte("hi")); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(got); err != nil || string(got[:n]) != "hi" {
		t.Fatalf("the near end got %q (%v)", got[:n], err)
	}
}

func TestWithoutALeaseNoByteIsWritten(t *testing.T) {
	held := lease.New(lease.Now() + time.Hour)
	conn, far := connected(t, held)
	held.End()
	if n, err := conn.Write([]byte("too late")); n != 0 || !errors.Is(err, ErrLeaseOut) && !errors.Is(err, net.ErrClosed) {
		t.Fatalf("wrote %d bytes (%v)", n, err)
	}
	if n, err := far.Read(make([]byte, 8)); n != 0 || err == nil {
		t.Fatalf("the far end got %d bytes (%v)", n, err)
	}
}

func TestAConnectionClosesByItselfWhenItsLeaseRunsOut(t *testing.T) {
	conn, far := connected(t, lease.New(lease.Now()+30*time.Millisecond))
	if n, err := far.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("the far end got %d bytes (%v)", n, err)
	}
	select {
	case <-conn.closed:
	case <-time.After(patience):
		t.Fatal("the connection does not know that it is closed")
	}
}

func TestWhatArrivesAfterTheLeaseIsNotLetIn(t *testing.T) {
	held := lease.New(lease.Now() + time.Hour)
	conn, far := connected(t, held)
	read := make(chan error, 1)
	go func() {
		_, err := conn.Read(make([]byte, 8))
		read <- err
	}()
	held.End()
	far.Write([]byte("too late")) //nolint:errcheck // it may be closed already
	if err := <-read; err == nil {
		t.Fatal("bytes were let in")
	}
}

func TestAWriteThatWaitsEndsWithTheLease(t *testing.T) {
	held := lease.New(lease.Now() + time.Hour)
	conn, _ := connected(t, held)
	blocked := make(chan error, 1)
	go func() {
		for {
			if _, err := conn.Write(make([]byte, 1<<20)); err != nil {
				blocked <- err
				return
			}
		}
	}()
	held.End()
	select {
	case <-blocked:
	case <-time.After(patience):
		t.Fatal("a write went on after the lease")
	}
}

func TestWhatMayNotBeReadYetIsNeitherLetInNorTakenForSilence(t *testing.T) {
	var heard atomic.Int32
	var mayRead atomic.Bool
	conn, far := connectedWith(t, lease.New(lease.Now()+time.Hour), func() { heard.Add(1) }, mayRead.Load)
	if _, err := far.Write([]byte("hi")); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		got := make([]byte, 5)
		n, _ := conn.Read(got)
		read <- string(got[:n])
	}()
	select {
	case got := <-read:
		t.Fatalf("%q was let in", got)
	case <-time.After(5 * lookAgain):
	}
	if heard.Load() == 0 {
		t.Fatal("it was taken for silence")
	}
	mayRead.Store(true)
	if got := <-read; got != "hi" {
		t.Fatalf("then %q was let in", got)
	}
}
