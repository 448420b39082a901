package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/server"
)

const eve = "491700000003"

// write tries to send a text, and gives the number it was refused with; "" if it
// was not.
func write(t *testing.T, from *labtest.Client, to string) (refused string) {
	t.Helper()
	_, err := from.SendMessage(within(t), labtest.PN(to), &waE2E.Message{Conversation: proto.String("hello")})
	if err == nil {
		return ""
	}
	number, isRefusal := strings.CutPrefix(err.Error(), whatsmeow.ErrServerReturnedError.Error()+" ")
	if !errors.Is(err, whatsmeow.ErrServerReturnedError) || !isRefusal {
		t.Fatal(err)
	}
	return number
}

func refusals(t *testing.T, from *labtest.Client, wanted map[string]string) {
	t.Helper()
	for to, number := range wanted {
		if refused := write(t, from, to); refused != number {
			t.Errorf("writing to %s is refused with %q, not %q", to, refused, number)
		}
	}
}

type lockTold struct {
	Active bool   `json:"is_active"`
	Ends   string `json:"time_enforcement_ends"`
}

// lockAsAsked is what a client learns that asks for its reach-out lock.
func lockAsAsked(t *testing.T, client *labtest.Client) lockTold {
	t.Helper()
	//lint:ignore SA1019 nothing else asks this
	told, err := client.DangerousInternals().SendMexIQ(within(t), "23983697327930364", map[string]any{})
	must(t, err)
	var answer struct {
		Lock lockTold `json:"xwa2_fetch_account_reachout_timelock"`
	}
	must(t, json.Unmarshal(told, &answer))
	return answer.Lock
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestABannedAccountIsCutOffAndLetInWhenTheBanEnds(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	must(t, lab.Ban(ada, time.Now().Add(time.Hour), 104))
	labtest.Await[*events.Disconnected](client)
	ban := labtest.Await[*events.TemporaryBan](client)
	if ban.Code != events.TempBanSentTooManySameMessage || ban.Expire <= time.Hour-labtest.Patience ||
		ban.Expire > time.Hour {
		t.Fatalf("%+v", ban)
	}
	until := time.Now().Add(200 * time.Millisecond)
	must(t, lab.Ban(ada, until, 104))
	labtest.Eventually(t, "the ban is over by the clock", func() bool { return time.Now().After(until) })
	client.Disconnect()
	client.Reconnect()
}

func TestALiftedBanIsOver(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	must(t, lab.Ban(ada, time.Now().Add(time.Hour), 0))
	if ban := labtest.Await[*events.TemporaryBan](client); ban.Code != events.TempBanSentToTooManyPeople {
		t.Fatalf("%+v", ban)
	}
	must(t, lab.LiftRestrictions(ada))
	client.Disconnect()
	client.Reconnect()
}

func TestALockedAccountWritesToThoseItHasAChatWithAlone(t *testing.T) {
	lab, first, second := two(t)
	third := lab.Pair(lab.Account(eve, "Eve"))
	first.Say(labtest.PN(bob), "before")
	second.Hear()
	until := time.Now().Add(time.Hour)
	must(t, lab.LockReachout(ada, until))
	told := labtest.Await[*events.NotifyAccountReachoutTimelock](first)
	if !told.IsActive || told.TimeEnforcementEnds.Unix() != until.Unix() || told.Mex.OpName == "" {
		t.Fatalf("%+v", told)
	}
	if asked := lockAsAsked(t, first); !asked.Active || asked.Ends != fmt.Sprint(until.Unix()) {
		t.Fatalf("%+v", asked)
	}
	refusals(t, first, map[string]string{bob: "", eve: "463", ada: ""})
	third.Say(labtest.PN(ada), "a question")
	first.Hear()
	refusals(t, first, map[string]string{eve: ""})
}

func TestAReachoutLockIsLiftedOrEndsByItself(t *testing.T) {
	lab, first, _ := two(t)
	lab.Account(eve, "Eve")
	must(t, lab.LockReachout(ada, time.Time{}))
	if told := labtest.Await[*events.NotifyAccountReachoutTimelock](first); !told.TimeEnforcementEnds.IsZero() {
		t.Fatalf("%+v", told)
	}
	refusals(t, first, map[string]string{bob: "463"})
	must(t, lab.LiftRestrictions(ada))
	if told := labtest.Await[*events.NotifyAccountReachoutTimelock](first); told.IsActive {
		t.Fatalf("%+v", told)
	}
	if asked := lockAsAsked(t, first); asked.Active {
		t.Fatalf("%+v", asked)
	}
	refusals(t, first, map[string]string{bob: ""})
	must(t, lab.LockReachout(ada, time.Now().Add(time.Hour)))
	refusals(t, first, map[string]string{eve: "463"})
	must(t, lab.LockReachout(ada, time.Now().Add(200*time.Millisecond)))
	labtest.Eventually(t, "the lock is over", func() bool { return write(t, first, eve) == "" })
}

func TestAReplacedDeviceIsToldAndMayComeBack(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	replaced := server.Replaced()
	_, err := lab.DropConnections(ada, &replaced)
	must(t, err)
	labtest.Await[*events.StreamReplaced](client)
	client.Disconnect()
	client.Reconnect()
}

func TestAStreamErrorIsToldByItsNumber(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	word := server.StreamError(599)
	_, err := lab.DropConnections(ada, &word)
	must(t, err)
	if told := labtest.Await[*events.StreamError](client); told.Code != "599" {
		t.Fatalf("%+v", told)
	}
}

func TestClientsThatAreTooOldAreToldSo(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	must(t, lab.SetFault(ada, outdated))
	_, err := lab.DropConnections(ada, nil)
	must(t, err)
	labtest.Await[*events.ClientOutdated](client)
}
