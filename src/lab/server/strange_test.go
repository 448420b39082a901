package server_test

import (
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
)

func about(entries []oracle.Entry, id string) (count int) {
	for _, entry := range entries {
		if entry.ID == id {
			count++
		}
	}
	return count
}

func TestAMessageThatIsDeliveredTwiceWasAcceptedOnce(t *testing.T) {
	lab, first, second := two(t)
	must(t, lab.SetFault(bob, fault.Fault{DuplicateCount: 1}))
	twice, once := first.Say(labtest.PN(bob), "again"), first.Say(labtest.PN(bob), "only this time")
	for _, id := range []string{twice, once} { // this client knows ciphertexts that it has read
		if heard, _ := second.Hear(); heard.Info.ID != id {
			t.Fatalf("%s came where %s was due", heard.Info.ID, id)
		}
	}
	lab.Recorded(oracle.Confirmed, func(entry oracle.Entry) bool { return entry.ID == once })
	for what, counts := range map[oracle.What][2]int{
		oracle.Accepted: {1, 1}, oracle.Delivered: {2, 1}, oracle.Confirmed: {1, 1},
	} {
		entries := lab.Entries(what)
		if told := [2]int{about(entries, twice), about(entries, once)}; told != counts {
			t.Errorf("%s %d times, not %d", what, told, counts)
		}
	}
}

func TestAMessageThatIsSentTwiceComesTwice(t *testing.T) {
	_, first, second := two(t)
	const id = "3EB0F0F0F0F0F0F0F0F1"
	for range 2 {
		_, err := first.SendMessage(within(t), labtest.PN(bob), &waE2E.Message{Conversation: proto.String("again")},
			whatsmeow.SendRequestExtra{ID: id})
		must(t, err)
		if heard, _ := second.Hear(); heard.Info.ID != id {
			t.Fatalf("%s came", heard.Info.ID)
		}
	}
}

func TestAnIdMayComeFromTwoSenders(t *testing.T) {
	lab, first, second := two(t)
	third := lab.Pair(lab.Account(eve, "Eve"))
	const id = "3EB0F0F0F0F0F0F0F0F0"
	for _, sender := range []*labtest.Client{first, third} {
		_, err := sender.SendMessage(within(t), labtest.PN(bob), &waE2E.Message{Conversation: proto.String("mine")},
			whatsmeow.SendRequestExtra{ID: id})
		must(t, err)
	}
	senders := map[types.JID]bool{}
	for range 2 {
		heard, _ := second.Hear()
		senders[heard.Info.Sender.ToNonAD()] = heard.Info.ID == id
	}
	if !senders[lidOf(t, lab, ada)] || !senders[lidOf(t, lab, eve)] {
		t.Fatalf("%v", senders)
	}
}

func TestWhatCannotBeReadStaysSoIfItsAuthorNeverHearsOfIt(t *testing.T) {
	lab, first, second := two(t)
	must(t, lab.SetFault(bob, fault.Fault{GarbleCount: 1, RetriesLost: true}))
	lost := first.Say(labtest.PN(bob), "lost")
	if told := labtest.Await[*events.UndecryptableMessage](second); told.Info.ID != lost {
		t.Fatalf("%+v", told.Info)
	}
	kept := first.Say(labtest.PN(bob), "kept")
	lab.Recorded(oracle.Confirmed, func(entry oracle.Entry) bool { return entry.ID == kept })
	if heard, _ := second.Hear(); heard.Info.ID != kept {
		t.Fatalf("%s came", heard.Info.ID)
	}
	if told := about(lab.Entries(oracle.Accepted), lost); told != 1 {
		t.Fatalf("it was sent %d times", told)
	}
}

func preKeysLeft(t *testing.T, lab *labtest.Lab, phone string) int {
	t.Helper()
	devices, err := lab.ListDevices(phone)
	must(t, err)
	return devices[0].PreKeys
}

func TestWhoseKeysHaveRunOutCanStillBeWrittenTo(t *testing.T) {
	lab, first, second := two(t)
	must(t, lab.DrainPreKeys(bob, 0, false))
	first.Say(labtest.PN(bob), "without a key")
	if _, text := second.Hear(); text != "without a key" {
		t.Fatalf("%q", text)
	}
	if left := preKeysLeft(t, lab, bob); left != 0 {
		t.Fatalf("%d keys are left", left)
	}
	must(t, lab.DrainPreKeys(bob, 0, true))
	labtest.Eventually(t, "new keys were uploaded", func() bool { return preKeysLeft(t, lab, bob) > 0 })
}

func TestTheLabsClockMayBeWrongAndTheOraclesIsNot(t *testing.T) {
	lab, first, second := two(t)
	lab.SetClock(-time.Hour)
	sent, err := first.SendMessage(within(t), labtest.PN(bob), &waE2E.Message{Conversation: proto.String("when?")})
	must(t, err)
	heard, _ := second.Hear()
	for whose, told := range map[string]time.Time{"sender": sent.Timestamp, "reader": heard.Info.Timestamp} {
		if behind := time.Since(told); behind < time.Hour-time.Second || behind > time.Hour+labtest.Patience {
			t.Errorf("the %s is told a time %v ago", whose, behind)
		}
	}
	accepted := lab.Recorded(oracle.Accepted, func(entry oracle.Entry) bool { return entry.ID == sent.ID })
	if ago := time.Since(accepted.Time); ago < 0 || ago > labtest.Patience {
		t.Errorf("the oracle tells a time %v ago", ago)
	}
}
