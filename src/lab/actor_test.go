package main

import (
	"context"

	"google.golang.org/grpc"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// actor is a person as a test directs it.
type actor struct {
	lab    *lab
	id     string
	phone  string
	lid    string
	device int32
	inbox  grpc.ServerStreamingClient[labv1.WatchInboxResponse]
}

// actor brings a person into the lab.
func (l *lab) actor(request *labv1.CreatePersonRequest) *actor {
	l.t.Helper()
	created, err := l.CreatePerson(l.ctx, request)
	must(l.t, err)
	brought := &actor{
		lab: l, id: created.GetPersonId(), device: created.GetDevice(),
		phone: created.GetAccount().GetPhoneNumber(), lid: created.GetAccount().GetLid(),
	}
	brought.watch(0)
	return brought
}

func (l *lab) named(name string) *actor {
	l.t.Helper()
	return l.actor(&labv1.CreatePersonRequest{Name: name})
}

// in is the same person in another lab that started from this one's world.
func (a *actor) in(other *lab, after int64) *actor {
	other.t.Helper()
	again := *a
	again.lab = other
	again.watch(after)
	return &again
}

func (a *actor) watch(after int64) {
	a.lab.t.Helper()
	inbox, err := a.lab.WatchInbox(a.lab.ctx, &labv1.WatchInboxRequest{PersonId: a.id, AfterPosition: after})
	must(a.lab.t, err)
	a.inbox = inbox
}

// hears waits for the next message.
func (a *actor) hears() *labv1.WatchInboxResponse {
	a.lab.t.Helper()
	heard := make(chan *labv1.WatchInboxResponse, 1)
	failed := make(chan error, 1)
	go func() {
		if entry, err := a.inbox.Recv(); err != nil {
			failed <- err
		} else {
			heard <- entry
		}
	}()
	ctx, cancel := context.WithTimeout(a.lab.ctx, patience)
	defer cancel()
	select {
	case entry := <-heard:
		return entry
	case err := <-failed:
		a.lab.t.Fatalf("%s hears nothing: %v", a.id, err)
	case <-ctx.Done():
		a.lab.t.Fatalf("%s hears nothing", a.id)
	}
	return nil
}

// says a text to somebody and gives the message's id.
func (a *actor) says(to, text string) string {
	a.lab.t.Helper()
	said, err := a.trySay(to, text)
	must(a.lab.t, err)
	return said.GetProviderMessageId()
}

func (a *actor) trySay(to, text string) (*labv1.SayResponse, error) {
	return a.lab.Say(a.lab.ctx, &labv1.SayRequest{
		PersonId: a.id, To: to, What: &labv1.SayRequest_Text{Text: text},
	})
}

func (a *actor) isOnline(online bool) {
	a.lab.t.Helper()
	_, err := a.lab.SetOnline(a.lab.ctx, &labv1.SetOnlineRequest{PersonId: a.id, Online: online})
	must(a.lab.t, err)
}

func (a *actor) suffers(fault *labv1.SetFaultRequest_Fault) {
	a.lab.t.Helper()
	_, err := a.lab.SetFault(a.lab.ctx, &labv1.SetFaultRequest{PhoneNumber: a.phone, Fault: fault})
	must(a.lab.t, err)
}

func (a *actor) forgets(peer *actor) {
	a.lab.t.Helper()
	_, err := a.lab.ForgetKeys(a.lab.ctx, &labv1.ForgetKeysRequest{PersonId: a.id, Peer: peer.phone})
	must(a.lab.t, err)
}
