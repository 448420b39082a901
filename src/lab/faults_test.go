package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// brief is how long a test waits for what is not to come.
const brief = 500 * time.Millisecond

func TestAFrozenLineGetsNothingUntilItThaws(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	bob.suffers(&labv1.SetFaultRequest_Fault{Frozen: true})
	id := ada.says(bob.phone, "Through the ice")
	equal(t, "still being online", lab.device(bob.phone).GetOnline(), true)
	equal(t, "being delivered", lab.counted(labv1.OracleEntry_KIND_DELIVERED, id), 0)
	bob.suffers(nil)
	equal(t, "what comes after the thaw", bob.hears().GetText(), "Through the ice")
}

func TestHeldAcksComeWhenTheFaultEnds(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	ada.suffers(&labv1.SetFaultRequest_Fault{AcksHeld: true})
	answered := make(chan error, 1)
	go func() {
		_, err := ada.trySay(bob.phone, "No answer yet")
		answered <- err
	}()
	equal(t, "what is passed on nevertheless", bob.hears().GetText(), "No answer yet")
	select {
	case err := <-answered:
		t.Fatalf("Say was answered while acks are held: %v", err)
	default:
	}
	ada.suffers(nil)
	must(t, <-answered)
}

func TestLostAcksNeverCome(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	ada.suffers(&labv1.SetFaultRequest_Fault{AcksLost: true})
	ctx, leave := context.WithCancel(lab.ctx)
	answered := make(chan error, 1)
	go func() {
		_, err := lab.Say(ctx, &labv1.SayRequest{
			PersonId: ada.id, To: bob.phone, What: &labv1.SayRequest_Text{Text: "Into the void"},
		})
		answered <- err
	}()
	equal(t, "what is passed on nevertheless", bob.hears().GetText(), "Into the void")
	select {
	case err := <-answered:
		t.Fatalf("Say was answered while acks are lost: %v", err)
	case <-time.After(brief):
	}
	leave()
	equal(t, "the code", status.Code(<-answered), codes.Canceled)
	ada.suffers(nil)
	ada.says(bob.phone, "Again")
	equal(t, "what comes afterwards", bob.hears().GetText(), "Again")
}

func TestMessagesAreRefusedAsOftenAsWished(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	ada.suffers(&labv1.SetFaultRequest_Fault{RefuseCode: 463, RefuseCount: 2})
	for range 2 {
		_, err := ada.trySay(bob.phone, "Not wanted")
		equal(t, "the code", status.Code(err), codes.FailedPrecondition)
		equal(t, "naming the number", strings.Contains(err.Error(), "463"), true)
	}
	ada.says(bob.phone, "Wanted")
	equal(t, "what Bob hears", bob.hears().GetText(), "Wanted")
	refused := lab.recorded(func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_REFUSED
	})
	equal(t, "the number in the log", refused.GetRefuseCode(), 463)
	equal(t, "who was refused", refused.GetAccount(), ada.phone)
}

func TestNobodyIsLetInWhileUnreachable(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	bob.suffers(&labv1.SetFaultRequest_Fault{Unreachable: true})
	bob.isOnline(false)
	ada.says(bob.phone, "Are you there?")
	ctx, cancel := context.WithTimeout(lab.ctx, brief)
	defer cancel()
	_, err := lab.SetOnline(ctx, &labv1.SetOnlineRequest{PersonId: bob.id, Online: true})
	equal(t, "the code", status.Code(err), codes.DeadlineExceeded)
	equal(t, "being online", lab.device(bob.phone).GetOnline(), false)
	bob.suffers(nil)
	bob.isOnline(true)
	equal(t, "what waited", bob.hears().GetText(), "Are you there?")
}

func TestLoginsAreRefusedWithTheNumberThatWasSet(t *testing.T) {
	lab := start(t)
	bob := lab.named("Bob")
	for _, wrong := range []*labv1.SetFaultRequest_Fault{
		{LoginFailureCode: 405},
		{LoginFailureCode: 402, BanDuration: durationpb.New(time.Hour)},
	} {
		bob.isOnline(false)
		bob.suffers(wrong)
		ctx, cancel := context.WithTimeout(lab.ctx, brief)
		_, err := lab.SetOnline(ctx, &labv1.SetOnlineRequest{PersonId: bob.id, Online: true})
		cancel()
		equal(t, "being let in", err == nil, false)
		equal(t, "being online", lab.device(bob.phone).GetOnline(), false)
		bob.suffers(nil)
		bob.isOnline(true)
	}
}

func TestSpoiltMessagesAreAskedForAgainAndArriveOnce(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	ada.says(bob.phone, "Before")
	equal(t, "what comes before", bob.hears().GetText(), "Before")
	bob.suffers(&labv1.SetFaultRequest_Fault{GarbleCount: 2})
	said := map[string]string{}
	for _, words := range []string{"One", "Two", "Three"} {
		said[ada.says(bob.phone, words)] = words
	}
	for range 3 {
		heard := bob.hears()
		wanted := said[heard.GetProviderMessageId()]
		equal(t, "what comes in the end", heard.GetText(), wanted)
		equal(t, "having been asked for again: "+wanted, heard.GetRetryCount() > 0, wanted != "Three")
		delete(said, heard.GetProviderMessageId())
	}
}

func TestTheFirstMessageOfTwoPersonsMayBeSpoiltToo(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	bob.suffers(&labv1.SetFaultRequest_Fault{GarbleCount: 1})
	ada.says(bob.phone, "Hello")
	heard := bob.hears()
	equal(t, "what comes in the end", heard.GetText(), "Hello")
	equal(t, "having been asked for again", heard.GetRetryCount() > 0, true)
}

func TestDroppedPersonsComeBackByThemselves(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	dropped, err := lab.DropConnections(lab.ctx, &labv1.DropConnectionsRequest{PhoneNumber: bob.phone})
	must(t, err)
	equal(t, "how many were cut", dropped.GetDroppedCount(), 1)
	ended := lab.recorded(func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_LOGOUT && entry.GetAccount() == bob.phone
	})
	lab.recorded(func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_LOGIN && entry.GetAccount() == bob.phone &&
			entry.GetConnection() > ended.GetConnection()
	})
	ada.says(bob.phone, "Welcome back")
	equal(t, "what Bob hears", bob.hears().GetText(), "Welcome back")
}
