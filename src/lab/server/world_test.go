package server_test

import (
	"testing"

	"go.mau.fi/whatsmeow/types/events"

	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/server"
)

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
