package server_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"wagate.dev/src/lab/fault"
	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/oracle"
)

const carol = "491700000003"

// three chat: Ada, Bob and Carol, in a group that Ada's phone made.
func three(t *testing.T, addressing types.AddressingMode) (lab *labtest.Lab, group types.JID, all []*labtest.Client) {
	t.Helper()
	lab, first, second := two(t)
	third := lab.Pair(lab.Account(carol, "Carol"))
	made, err := lab.CreateGroup(ada, "Friends", []string{bob, carol}, addressing, false)
	if err != nil {
		t.Fatal(err)
	}
	return lab, made.JID(), []*labtest.Client{first, second, third}
}

// hears waits for words in a group; keys that come before say nothing.
func hears(client *labtest.Client) *events.Message {
	return labtest.AwaitWhere(client, func(message *events.Message) bool {
		return message.Message.GetConversation() != "" || message.Message.GetExtendedTextMessage() != nil
	})
}

func words(message *events.Message) string { return message.Message.GetConversation() }

func in(addressing types.AddressingMode, jid types.JID) bool {
	return jid.Server == map[types.AddressingMode]string{
		types.AddressingModeLID: types.HiddenUserServer, types.AddressingModePN: types.DefaultUserServer,
	}[addressing]
}

func TestAllHearEachOtherInAGroupOfEitherAddressing(t *testing.T) {
	for _, addressing := range []types.AddressingMode{types.AddressingModeLID, types.AddressingModePN} {
		t.Run(string(addressing), func(t *testing.T) {
			lab, group, all := three(t, addressing)
			for round := range 2 {
				for i, speaker := range all {
					said := fmt.Sprintf("%d of %d", round, i)
					id := speaker.Say(group, said)
					for j, listener := range all {
						if i == j {
							continue
						}
						heard := hears(listener)
						if words(heard) != said || heard.Info.ID != id || heard.Info.Chat != group || !heard.Info.IsGroup {
							t.Fatalf("%q came as %+v", words(heard), heard.Info)
						}
						sender, other := heard.Info.Sender, heard.Info.SenderAlt
						if !in(addressing, sender) || in(addressing, other) || other.IsEmpty() || sender.Device != 1 {
							t.Fatalf("%s is also %s", sender, other)
						}
					}
				}
			}
			if unanswered := lab.Unanswered(); len(unanswered) > 0 {
				t.Fatalf("not answered: %v", unanswered)
			}
			labtest.Eventually(t, "each is logged once for each listener", func() bool {
				return len(lab.Entries(oracle.Delivered)) == 12
			})
			for _, entry := range lab.Entries(oracle.Delivered) {
				if entry.To != group.String() || entry.Peer == "" || entry.Peer == entry.Account {
					t.Fatalf("%+v", entry)
				}
			}
		})
	}
}

func TestOwnDevicesHearWhatIsSaidInAGroup(t *testing.T) {
	lab, group, all := three(t, types.AddressingModeLID)
	other := lab.Pair(ada)
	id := all[0].Say(group, "from the one")
	if heard := hears(other); heard.Info.ID != id || !heard.Info.IsFromMe || heard.Info.Chat != group {
		t.Fatalf("%+v", heard.Info)
	}
	other.Say(group, "from the other")
	for _, client := range all {
		for words(hears(client)) != "from the other" {
		}
	}
}

func TestReceiptsInAGroupReachWhoSpoke(t *testing.T) {
	for _, addressing := range []types.AddressingMode{types.AddressingModeLID, types.AddressingModePN} {
		t.Run(string(addressing), func(t *testing.T) {
			lab, group, all := three(t, addressing)
			other := lab.Pair(carol)
			id := all[0].Say(group, "read this")
			all[2].SetForceActiveDeliveryReceipts(true)
			heard := hears(all[2])
			if err := all[2].MarkRead(within(t), []types.MessageID{id}, time.Now(), group, heard.Info.Sender); err != nil {
				t.Fatal(err)
			}
			read := receiptOf(all[0], types.ReceiptTypeRead)
			if read.Chat != group || read.MessageIDs[0] != id || !in(addressing, read.Sender) || read.SenderAlt.IsEmpty() {
				t.Fatalf("%+v", read)
			}
			own := receiptOf(other, types.ReceiptTypeRead)
			if own.Chat != group || !own.IsFromMe || own.MessageSender != heard.Info.Sender.ToNonAD() {
				t.Fatalf("%+v", own)
			}
			forwarded := lab.Recorded(oracle.Receipt, func(entry oracle.Entry) bool { return entry.Type == "read" && entry.Account == ada })
			if forwarded.Peer != carol || forwarded.To != group.String() || forwarded.ID != id {
				t.Fatalf("%+v", forwarded)
			}
			labtest.Eventually(t, "all is confirmed", func() bool {
				return queued(t, lab, ada)+queued(t, lab, bob)+queued(t, lab, carol) == 0
			})
		})
	}
}

func TestWhatCannotBeReadInAGroupIsAskedForAgain(t *testing.T) {
	for _, addressing := range []types.AddressingMode{types.AddressingModeLID, types.AddressingModePN} {
		t.Run(string(addressing), func(t *testing.T) {
			lab, group, all := three(t, addressing)
			all[0].Say(group, "in clear")
			hears(all[1])
			if err := lab.SetFault(bob, fault.Fault{GarbleCount: 1}); err != nil {
				t.Fatal(err)
			}
			garbled := all[0].Say(group, "garbled")
			labtest.AwaitWhere(all[1], func(event *events.UndecryptableMessage) bool { return event.Info.ID == garbled })
			if heard := hears(all[1]); words(heard) != "garbled" || heard.Info.Chat != group || heard.RetryCount != 1 {
				t.Fatalf("%q came after %d retries: %+v", words(heard), heard.RetryCount, heard.Info)
			}
			for _, said := range []string{"in clear", "garbled"} {
				if heard := hears(all[2]); words(heard) != said || heard.RetryCount != 0 {
					t.Fatalf("Carol heard %q", words(heard))
				}
			}
			all[0].Say(group, "in clear again")
			if heard := hears(all[1]); words(heard) != "in clear again" {
				t.Fatalf("then came %q", words(heard))
			}
		})
	}
}

func TestWhatIsSaidInAGroupMeanwhileWaitsInOrder(t *testing.T) {
	lab, group, all := three(t, types.AddressingModeLID)
	all[1].Disconnect()
	if err := lab.AwaitOffline(within(t), device(bob, 1)); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		all[2*(i%2)].Say(group, fmt.Sprint(i))
	}
	all[1].Reconnect()
	for i := range 10 {
		if heard := hears(all[1]); words(heard) != fmt.Sprint(i) {
			t.Fatalf("%q came where %d was due", words(heard), i)
		}
	}
	labtest.Eventually(t, "all is confirmed", func() bool { return queued(t, lab, bob) == 0 })
}

func TestKeysComeOnceWhereTheyAreToAndAreAskedForWhenLost(t *testing.T) {
	lab, first, second := two(t)
	group, err := lab.CreateGroup(ada, "Friends", []string{bob}, types.AddressingModeLID, true)
	if err != nil {
		t.Fatal(err)
	}
	say := func(words string, retries int) {
		t.Helper()
		first.Say(group.JID(), words)
		if heard := hears(second); heard.Message.GetConversation() != words || heard.RetryCount != retries {
			t.Fatalf("%q came after %d retries", heard.Message.GetConversation(), heard.RetryCount)
		}
	}
	for i := range 3 {
		say(fmt.Sprint(i), 0)
	}
	if parts := partsOfMessages(lab, bob); !slices.Equal(parts, []int{2, 1, 1}) {
		t.Fatalf("the messages had %v encrypted parts", parts)
	}
	if err = lab.SetFault(bob, fault.Fault{GarbleCount: 1}); err != nil {
		t.Fatal(err)
	}
	say("garbled", 1)
	say("in clear", 0)
}

// partsOfMessages counts what was encrypted in each message that went to an
// account's first device.
func partsOfMessages(lab *labtest.Lab, phone string) (parts []int) {
	for _, stanza := range lab.Stanzas(0) {
		if stanza.Node.Tag == "message" && !stanza.Incoming && stanza.Device == device(phone, 1) {
			parts = append(parts, len(stanza.Node.GetChildrenByTag("enc")))
		}
	}
	return parts
}
