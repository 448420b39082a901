package server_test

import (
	"errors"
	"slices"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/oracle"
)

func TestClientsMakeGroupsAndChangeThem(t *testing.T) {
	lab, first, second := two(t)
	third := lab.Pair(lab.Account(carol, "Carol"))
	made, err := first.CreateGroup(within(t), whatsmeow.ReqCreateGroup{Name: "Tea", Participants: []types.JID{lidOf(t, lab, bob)}})
	if err != nil {
		t.Fatal(err)
	}
	if made.Name != "Tea" || len(made.Participants) != 2 || made.AddressingMode != types.AddressingModeLID {
		t.Fatalf("%+v", made)
	}
	for _, member := range []*labtest.Client{first, second} {
		if joined := labtest.Await[*events.JoinedGroup](member); joined.JID != made.JID || joined.Notify != "Ada" {
			t.Fatalf("%+v", joined)
		}
	}
	first.Say(made.JID, "for two")
	changed, err := first.UpdateGroupParticipants(within(t), made.JID, []types.JID{lidOf(t, lab, carol)}, whatsmeow.ParticipantChangeAdd)
	if err != nil || len(changed) != 1 || changed[0].PhoneNumber != labtest.PN(carol) {
		t.Fatalf("%+v %v", changed, err)
	}
	if joined := labtest.Await[*events.JoinedGroup](third); len(joined.Participants) != 3 {
		t.Fatalf("Carol was told of %+v", joined.Participants)
	}
	if told := labtest.Await[*events.GroupInfo](second); len(told.Join) != 1 || told.Join[0] != lidOf(t, lab, carol) {
		t.Fatalf("Bob was told that %v came", told.Join)
	}
	first.Say(made.JID, "for three")
	if heard := hears(third); words(heard) != "for three" {
		t.Fatalf("Carol heard %q", words(heard))
	}
	if err = second.LeaveGroup(within(t), made.JID); err != nil {
		t.Fatal(err)
	}
	if told := labtest.Await[*events.GroupInfo](third); len(told.Leave) != 1 || told.Leave[0] != lidOf(t, lab, bob) {
		t.Fatalf("Carol was told that %v left", told.Leave)
	}
	if _, err = second.GetGroupInfo(within(t), made.JID); !errors.Is(err, whatsmeow.ErrNotInGroup) {
		t.Fatalf("Bob, who left, asks: %v", err)
	}
	if groups, err := third.GetJoinedGroups(within(t)); err != nil || len(groups) != 1 || len(groups[0].Participants) != 2 {
		t.Fatalf("%+v %v", groups, err)
	}
	if unanswered := lab.Unanswered(); len(unanswered) > 0 {
		t.Fatalf("not answered: %v", unanswered)
	}
}

func TestWhoLeftIsRefusedAndHearsNothing(t *testing.T) {
	lab, group, all := three(t, types.AddressingModeLID)
	all[1].Say(group, "I am here")
	if _, err := lab.ChangeMembers(group, nil, []string{bob}); err != nil {
		t.Fatal(err)
	}
	labtest.AwaitWhere(all[1], func(told *events.GroupInfo) bool { return len(told.Leave) == 1 })
	all[0].Say(group, "without Bob")
	hears(all[2])
	if _, err := all[1].SendMessage(within(t), group, &waE2E.Message{Conversation: proto.String("let me in")}); err == nil {
		t.Fatal("Bob still speaks")
	}
	for _, entry := range lab.Entries(oracle.Delivered) {
		if entry.Account == bob {
			t.Fatalf("%+v", entry)
		}
	}
}

func TestANewDeviceOfAMemberIsHeardOf(t *testing.T) {
	lab, group, all := three(t, types.AddressingModeLID)
	all[0].Say(group, "to one device each")
	hears(all[1])
	other := lab.Pair(bob)
	labtest.Eventually(t, "Ada was told of the device", func() bool { return queued(t, lab, ada) == 0 })
	all[0].Say(group, "to the new one too")
	if heard := hears(other); words(heard) != "to the new one too" {
		t.Fatalf("the new device heard %q", words(heard))
	}
}

func TestWhoIsKnownByOneNameIsSoInGroups(t *testing.T) {
	lab, _, second := two(t)
	if _, err := lab.CreateAccount(carol, "", "Carol", model.LIDOnly); err != nil {
		t.Fatal(err)
	}
	third := lab.Pair(carol)
	group, err := lab.CreateGroup(carol, "Hidden", []string{bob}, types.AddressingModeLID, false)
	if err != nil {
		t.Fatal(err)
	}
	third.Say(group.JID(), "who am I?")
	if heard := hears(second); heard.Info.Sender.ToNonAD() != lidOf(t, lab, carol) || !heard.Info.SenderAlt.IsEmpty() {
		t.Fatalf("%s is also %s", heard.Info.Sender, heard.Info.SenderAlt)
	}
	joined := labtest.Await[*events.JoinedGroup](second)
	if creator := joined.Participants[0]; !creator.IsSuperAdmin || !creator.PhoneNumber.IsEmpty() {
		t.Fatalf("%+v", creator)
	}
}

func TestGroupsAreSavedWithTheWorld(t *testing.T) {
	lab, group, all := three(t, types.AddressingModePN)
	all[0].Say(group, "before")
	saved, err := lab.SaveWorld()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = lab.ChangeMembers(group, nil, []string{bob, carol}); err != nil {
		t.Fatal(err)
	}
	if err = lab.LoadWorld(saved); err != nil {
		t.Fatal(err)
	}
	loaded := lab.Groups()
	if len(loaded) != 1 || loaded[0].JID() != group || len(loaded[0].Members) != 3 || loaded[0].Subject != "Friends" {
		t.Fatalf("%+v", loaded)
	}
	if err = lab.DeleteAccount(bob); err != nil {
		t.Fatal(err)
	}
	if left := lab.Groups()[0].Members; !slices.Equal(left, []string{ada, carol}) {
		t.Fatalf("%v are left", left)
	}
}
