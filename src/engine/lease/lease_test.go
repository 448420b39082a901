package lease

import (
	"testing"
	"time"
)

func within(t *testing.T, patience time.Duration, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("the lease had not run out after %s", patience)
	}
}

func TestALeaseRunsOutByItself(t *testing.T) {
	l := New(Now() + 300*time.Millisecond)
	if !l.Holds() {
		t.Fatal("a fresh lease does not hold")
	}
	within(t, 5*time.Second, l.Ended())
	if l.Holds() {
		t.Fatal("a lease that ran out still holds")
	}
}

func TestARenewedLeaseLastsLonger(t *testing.T) {
	l := New(Now() + 300*time.Millisecond)
	if !l.Renew(Now() + time.Hour) {
		t.Fatal("a lease that holds could not be renewed")
	}
	select {
	case <-l.Ended():
		t.Fatal("the lease ran out at its first time")
	case <-time.After(400 * time.Millisecond):
	}
}

func TestALeaseMayBeShortened(t *testing.T) {
	l := New(Now() + time.Hour)
	l.Renew(Now() + 20*time.Millisecond)
	within(t, 5*time.Second, l.Ended())
}

func TestALeaseThatRanOutIsNeverRevived(t *testing.T) {
	l := New(Now())
	if l.Renew(Now() + time.Hour) {
		t.Fatal("a lease that ran out was renewed")
	}
	if l.Holds() {
		t.Fatal("a lease that ran out holds again")
	}
}

func TestALeaseThatIsEndedEndsAtOnce(t *testing.T) {
	l := New(Now() + time.Hour)
	l.End()
	within(t, 5*time.Second, l.Ended())
	l.End()
}
