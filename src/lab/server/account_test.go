package server_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/oracle"
	"wagate.dev/src/lab/server"
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

func TestAWorldIsSavedAndGoesOnWithoutPairingAgain(t *testing.T) {
	lab, first, second := two(t)
	first.Say(labtest.PN(bob), "before")
	second.Hear()
	second.Disconnect()
	if err := lab.AwaitOffline(within(t), device(bob, 1)); err != nil {
		t.Fatal(err)
	}
	id := first.Say(labtest.PN(bob), "meanwhile")
	first.Disconnect()
	saved, err := lab.SaveWorld()
	if err != nil {
		t.Fatal(err)
	}
	lab.Close()

	later := labtest.Start(t, func(options *server.Options) { options.World = saved })
	back, sender := later.Resume(second.Store), later.Resume(first.Store)
	back.Reconnect()
	if message, text := back.Hear(); text != "meanwhile" || message.Info.ID != id {
		t.Fatalf("%q", text)
	}
	sender.Reconnect()
	sender.Say(labtest.PN(bob), "after")
	if _, text := back.Hear(); text != "after" {
		t.Fatalf("%q", text)
	}
}

func TestAWorldIsLoadedIntoARunningLab(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	saved, err := lab.SaveWorld()
	if err != nil {
		t.Fatal(err)
	}
	lab.Account(bob, "Bob")
	if err = lab.LoadWorld(saved); err != nil {
		t.Fatal(err)
	}
	if phones := lab.Phones(); len(phones) != 1 {
		t.Fatalf("%v", phones)
	}
	labtest.Await[*events.Disconnected](client)
	labtest.Await[*events.Connected](client)
}

func TestPresenceAndTypingReachThoseWhoWatch(t *testing.T) {
	_, first, second := two(t)
	first.Store.PushName = "Ada Lovelace"
	if err := second.SubscribePresence(within(t), labtest.PN(ada)); err != nil {
		t.Fatal(err)
	}
	labtest.AwaitWhere(second, func(presence *events.Presence) bool { return presence.Unavailable })
	if err := first.SendPresence(within(t), types.PresenceAvailable); err != nil {
		t.Fatal(err)
	}
	labtest.AwaitWhere(second, func(presence *events.Presence) bool { return !presence.Unavailable })
	if err := first.SendChatPresence(within(t), labtest.PN(bob), types.ChatPresenceComposing, types.ChatPresenceMediaAudio); err != nil {
		t.Fatal(err)
	}
	if typing := labtest.Await[*events.ChatPresence](second); typing.Media != types.ChatPresenceMediaAudio {
		t.Fatalf("%+v", typing)
	}
	first.Disconnect()
	gone := labtest.AwaitWhere(second, func(presence *events.Presence) bool { return presence.Unavailable })
	if gone.LastSeen.IsZero() {
		t.Fatal("never seen")
	}
}

func TestWhatNobodyKnowsIsAnsweredAndCounted(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	_, err := client.GetSubscribedNewsletters(within(t))
	var refused *whatsmeow.IQError
	if !errors.As(err, &refused) || refused.Code != 501 {
		t.Fatal(err)
	}
	if counted := lab.Unanswered(); counted["w:mex/query"] != 1 {
		t.Fatalf("%v", counted)
	}
}

func TestTheSmallQueriesAreAnswered(t *testing.T) {
	lab, client, _ := two(t)
	ctx := within(t)
	if _, err := client.SetPrivacySetting(ctx, types.PrivacySettingTypeReadReceipts, types.PrivacySettingNone); err != nil {
		t.Error(err)
	}
	if settings, err := client.TryFetchPrivacySettings(ctx, true); err != nil || settings.ReadReceipts != types.PrivacySettingNone {
		t.Errorf("%+v %v", settings, err)
	}
	blocked, err := client.UpdateBlocklist(ctx, labtest.PN(bob), events.BlocklistChangeActionBlock)
	if err != nil || len(blocked.JIDs) != 1 || blocked.JIDs[0] != labtest.PN(bob) {
		t.Errorf("%+v %v", blocked, err)
	}
	if picture, err := client.GetProfilePictureInfo(ctx, labtest.PN(bob), nil); !errors.Is(err, whatsmeow.ErrProfilePictureNotSet) {
		t.Errorf("%+v %v", picture, err)
	}
	if err := client.FetchAppState(ctx, "critical_block", true, false); err != nil {
		t.Error(err)
	}
	if unanswered := lab.Unanswered(); len(unanswered) > 0 {
		t.Errorf("not answered: %v", unanswered)
	}
}

func TestAFrozenSocketAnswersAgainAfterReconnecting(t *testing.T) {
	lab, first, second := two(t)
	if err := lab.SetFault(bob, fault.Fault{Frozen: true}); err != nil {
		t.Fatal(err)
	}
	id := first.Say(labtest.PN(bob), "hello")
	if !lab.Online(device(bob, 1)) || !second.IsConnected() {
		t.Fatal("the socket was closed")
	}
	lab.Recorded(oracle.Accepted, func(entry oracle.Entry) bool { return entry.ID == id })
	if len(lab.Entries(oracle.Delivered)) != 0 {
		t.Fatal("something was written")
	}
	second.ResetConnection()
	if _, text := second.Hear(); text != "hello" {
		t.Fatalf("%q", text)
	}
}

func TestMessagesAreRefusedAsOftenAsAsked(t *testing.T) {
	lab, first, second := two(t)
	if err := lab.SetFault(ada, fault.Fault{RefuseCode: 463, RefuseCount: 1}); err != nil {
		t.Fatal(err)
	}
	_, err := first.SendMessage(within(t), labtest.PN(bob), &waE2E.Message{Conversation: proto.String("one")})
	if !errors.Is(err, whatsmeow.ErrServerReturnedError) || !strings.Contains(err.Error(), "463") {
		t.Fatal(err)
	}
	first.Say(labtest.PN(bob), "two")
	if _, text := second.Hear(); text != "two" {
		t.Fatalf("%q", text)
	}
	if refused := lab.Entries(oracle.Refused); len(refused) != 1 || refused[0].Error != "463" {
		t.Fatalf("%+v", refused)
	}
}

func TestLostAcksAndUnreachability(t *testing.T) {
	lab, first, second := two(t)
	if err := lab.SetFault(ada, fault.Fault{AcksLost: true, Unreachable: true}); err != nil {
		t.Fatal(err)
	}
	_, err := first.SendMessage(within(t), labtest.PN(bob), &waE2E.Message{Conversation: proto.String("one")},
		whatsmeow.SendRequestExtra{Timeout: 300 * time.Millisecond})
	if !errors.Is(err, whatsmeow.ErrMessageTimedOut) {
		t.Fatal(err)
	}
	second.Hear()
	if dropped, err := lab.DropConnections(ada); err != nil || dropped != 1 {
		t.Fatalf("%d %v", dropped, err)
	}
	labtest.Await[*events.Disconnected](first)
	labtest.Await[*events.Disconnected](first) // once more, after it tried to come back
	if lab.Online(device(ada, 1)) {
		t.Fatal("it was let in")
	}
	if err = lab.SetFault(ada, fault.Fault{}); err != nil {
		t.Fatal(err)
	}
	labtest.Await[*events.Connected](first)
}
