package server_test

import (
	"strings"
	"testing"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
)

const nobody = "491700000099"

func TestANumberWithoutAccountCannotBeWrittenTo(t *testing.T) {
	lab := labtest.Start(t)
	first := lab.Pair(lab.Account(ada, "Ada"))
	_, err := first.SendMessage(within(t), labtest.PN(nobody), &waE2E.Message{Conversation: proto.String("hello?")})
	if err == nil || !strings.Contains(err.Error(), "no LID found") {
		t.Fatal(err)
	}
}

func TestIsOnWhatsAppTellsWhoIs(t *testing.T) {
	lab := labtest.Start(t)
	first := lab.Pair(lab.Account(ada, "Ada"))
	lab.Account(bob, "Bob")
	found, err := first.IsOnWhatsApp(within(t), []string{"+" + bob, "+" + nobody})
	if err != nil || len(found) != 2 {
		t.Fatalf("%v %v", found, err)
	}
	if !found[0].IsIn || found[0].JID != lidOf(t, lab, bob) || found[0].PhoneNumber != labtest.PN(bob) || found[0].Query != "+"+bob {
		t.Errorf("%+v", found[0])
	}
	if found[1].IsIn || found[1].JID != labtest.PN(nobody) {
		t.Errorf("%+v", found[1])
	}
}

func TestAClientThatLogsOutIsNoDeviceAnyMore(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	if err := client.Logout(within(t)); err != nil {
		t.Fatal(err)
	}
	if devices, err := lab.ListDevices(ada); err != nil || len(devices) != 0 {
		t.Fatalf("%v %v", devices, err)
	}
	lab.Recorded(oracle.Unlinked, func(entry oracle.Entry) bool { return entry.Account == ada && entry.Device == 1 })
}

func TestARemovedDeviceIsToldAtOnce(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	if err := lab.RemoveDevice(ada, 1); err != nil {
		t.Fatal(err)
	}
	if out := labtest.Await[*events.LoggedOut](client); out.OnConnect {
		t.Fatalf("%+v", out)
	}
}

func TestADeviceRemovedMeanwhileIsToldAtLogin(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	client.Disconnect()
	if err := lab.RemoveDevice(ada, 1); err != nil {
		t.Fatal(err)
	}
	client.Dial()
	out := labtest.Await[*events.LoggedOut](client)
	if !out.OnConnect || out.Reason != events.ConnectFailureLoggedOut {
		t.Fatalf("%+v", out)
	}
}

func TestAnAccountThatReturnsHasAnotherLID(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	before := lidOf(t, lab, ada)
	if err := lab.DeleteAccount(ada); err != nil {
		t.Fatal(err)
	}
	labtest.Await[*events.LoggedOut](client)
	lab.Account(ada, "Ada again")
	if lidOf(t, lab, ada) == before {
		t.Fatal("the LID is the same")
	}
	lab.Pair(ada)
}

func TestTheSameDeviceTwiceReplacesTheFirst(t *testing.T) {
	lab := labtest.Start(t)
	first := lab.Pair(lab.Account(ada, "Ada"))
	second := lab.Resume(first.Store)
	second.Reconnect()
	labtest.Await[*events.StreamReplaced](first)
	if !lab.Online(device(ada, 1)) {
		t.Fatal("the second is not online")
	}
}

func TestANewDeviceOfAContactIsWrittenToWithoutDelay(t *testing.T) {
	lab, first, second := two(t)
	first.Say(labtest.PN(bob), "one")
	second.Hear()
	other := lab.Pair(bob)
	labtest.Eventually(t, "Ada was told", func() bool { return queued(t, lab, ada) == 0 })
	first.Say(labtest.PN(bob), "two")
	if _, text := other.Hear(); text != "two" {
		t.Fatalf("Bob's new device heard %q", text)
	}
}

func TestASenderIsNamedAsItsAccountWants(t *testing.T) {
	for naming, wanted := range map[model.Naming]struct{ server, other string }{
		model.LIDWithPhone: {types.HiddenUserServer, types.DefaultUserServer},
		model.LIDOnly:      {types.HiddenUserServer, ""},
		model.PhoneWithLID: {types.DefaultUserServer, types.HiddenUserServer},
		model.PhoneOnly:    {types.DefaultUserServer, ""},
	} {
		t.Run(string(naming), func(t *testing.T) {
			lab := labtest.Start(t)
			if _, err := lab.CreateAccount(ada, "", "Ada", naming); err != nil {
				t.Fatal(err)
			}
			first, second := lab.Pair(ada), lab.Pair(lab.Account(bob, "Bob"))
			first.Say(labtest.PN(bob), "hello")
			info := labtest.Await[*events.Message](second).Info
			if info.Sender.Server != wanted.server || info.SenderAlt.Server != wanted.other {
				t.Fatalf("named %v beside %q", info.Sender, info.SenderAlt)
			}
			second.Say(info.Sender.ToNonAD(), "and to you")
			if _, text := first.Hear(); text != "and to you" {
				t.Fatalf("Ada heard %q", text)
			}
		})
	}
}
