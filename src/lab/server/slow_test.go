package server_test

import (
	"fmt"
	"testing"
	"time"

	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/oracle"
)

var outdated = fault.Fault{LoginFailure: 405}

func TestASlowLineIsLateAndNeitherNarrowNorOutOfOrder(t *testing.T) {
	const delay, count = time.Second, 5
	lab, first, second := two(t)
	second.Say(labtest.PN(ada), "warming up")
	first.Hear()
	must(t, lab.SetFault(ada, fault.Fault{DelayTo: delay}))
	ids := make([]string, count)
	for i := range ids {
		ids[i] = second.Say(labtest.PN(ada), fmt.Sprint(i))
	}
	for i, id := range ids {
		if heard, _ := first.Hear(); heard.Info.ID != id {
			t.Fatalf("%q came where message %d was due", heard.Info.ID, i)
		}
	}
	for i, id := range ids {
		is := func(entry oracle.Entry) bool { return entry.ID == id }
		accepted, delivered := lab.Recorded(oracle.Accepted, is), lab.Recorded(oracle.Delivered, is)
		if took := delivered.Time.Sub(accepted.Time); took < delay || took > count*delay {
			t.Errorf("message %d took %v", i, took)
		}
	}
}

func TestWhatASlowDeviceSaysIsHeardLateUntilThatEnds(t *testing.T) {
	lab, first, second := two(t)
	must(t, lab.SetFault(ada, fault.Fault{DelayFrom: time.Hour}))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		first.Say(labtest.PN(bob), "at last")
	}()
	select {
	case <-sent:
		t.Fatal("it was heard at once")
	case <-time.After(200 * time.Millisecond):
	}
	if len(lab.Entries(oracle.Accepted)) > 0 {
		t.Fatal("it was accepted")
	}
	must(t, lab.SetFault(ada, fault.Fault{}))
	if _, text := second.Hear(); text != "at last" {
		t.Fatalf("%q", text)
	}
	<-sent
}

func TestALateAckLeavesInItsTime(t *testing.T) {
	const delay = 500 * time.Millisecond
	lab, first, second := two(t)
	first.Say(labtest.PN(bob), "warming up")
	second.Hear()
	must(t, lab.SetFault(ada, fault.Fault{AckDelay: delay}))
	for range 2 {
		begun := time.Now()
		first.Say(labtest.PN(bob), "hello")
		if took := time.Since(begun); took < delay {
			t.Fatalf("the ack took %v", took)
		}
		second.Hear()
	}
}
