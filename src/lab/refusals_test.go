package main

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func TestWhatMakesNoSenseIsRefusedWithItsReason(t *testing.T) {
	lab := start(t)
	ada := lab.named("Ada")
	text := &labv1.SayRequest_Text{Text: "Hello"}
	raw := &labv1.SayRequest_RawMessage{RawMessage: []byte("\xff")}
	for what, attempt := range map[string]struct {
		wanted codes.Code
		call   func() error
	}{
		"speaking as nobody": {codes.NotFound, func() error {
			_, err := lab.Say(lab.ctx, &labv1.SayRequest{PersonId: "person-9", To: ada.phone, What: text})
			return err
		}},
		"saying nothing": {codes.InvalidArgument, func() error {
			_, err := lab.Say(lab.ctx, &labv1.SayRequest{PersonId: ada.id, To: ada.phone})
			return err
		}},
		"saying what is no message": {codes.InvalidArgument, func() error {
			_, err := lab.Say(lab.ctx, &labv1.SayRequest{PersonId: ada.id, To: ada.phone, What: raw})
			return err
		}},
		"answering without an author": {codes.InvalidArgument, func() error {
			_, err := lab.Say(lab.ctx, &labv1.SayRequest{
				PersonId: ada.id, To: ada.phone, What: text, ReplyToProviderMessageId: "3EB0",
			})
			return err
		}},
		"reading nothing": {codes.InvalidArgument, func() error {
			_, err := lab.MarkRead(lab.ctx, &labv1.MarkReadRequest{PersonId: ada.id, Sender: ada.phone})
			return err
		}},
		"forgetting the unknown": {codes.NotFound, func() error {
			_, err := lab.ForgetKeys(lab.ctx, &labv1.ForgetKeysRequest{PersonId: ada.id, Peer: "1@lid"})
			return err
		}},
		"ending what is not": {codes.NotFound, func() error {
			_, err := lab.DeleteAccount(lab.ctx, &labv1.DeleteAccountRequest{PhoneNumber: "+447700900998"})
			return err
		}},
		"a fault for nobody": {codes.NotFound, func() error {
			_, err := lab.SetFault(lab.ctx, &labv1.SetFaultRequest{PhoneNumber: "+447700900998"})
			return err
		}},
		"a person with a number that is none": {codes.InvalidArgument, func() error {
			_, err := lab.CreatePerson(lab.ctx, &labv1.CreatePersonRequest{PhoneNumber: "Ada"})
			return err
		}},
		"a world without a place": {codes.InvalidArgument, func() error {
			_, err := lab.SaveWorld(lab.ctx, &labv1.SaveWorldRequest{Folder: "here"})
			return err
		}},
		"a ban without an end": {codes.InvalidArgument, func() error {
			_, err := lab.BanAccount(lab.ctx, &labv1.BanAccountRequest{PhoneNumber: ada.phone})
			return err
		}},
		"a lock for less than no time": {codes.InvalidArgument, func() error {
			_, err := lab.LockReachout(lab.ctx, &labv1.LockReachoutRequest{
				PhoneNumber: ada.phone, Duration: durationpb.New(-time.Second),
			})
			return err
		}},
		"lifting what nobody has": {codes.NotFound, func() error {
			_, err := lab.LiftRestrictions(lab.ctx, &labv1.LiftRestrictionsRequest{PhoneNumber: "+447700900998"})
			return err
		}},
		"an error without a number": {codes.InvalidArgument, func() error {
			_, err := lab.DropConnections(lab.ctx, &labv1.DropConnectionsRequest{
				PhoneNumber: ada.phone, LastWord: labv1.DropConnectionsRequest_LAST_WORD_ERROR,
			})
			return err
		}},
		"coming earlier than it was sent": {codes.InvalidArgument, func() error {
			_, err := lab.SetFault(lab.ctx, &labv1.SetFaultRequest{
				PhoneNumber: ada.phone,
				Fault:       &labv1.SetFaultRequest_Fault{DelayToDevice: durationpb.New(-time.Second)},
			})
			return err
		}},
		"saying nothing many times": {codes.InvalidArgument, func() error {
			_, err := lab.SayMany(lab.ctx, &labv1.SayManyRequest{PersonId: ada.id, To: ada.phone})
			return err
		}},
		"keys fewer than none": {codes.InvalidArgument, func() error {
			_, err := lab.DrainPreKeys(lab.ctx, &labv1.DrainPreKeysRequest{PhoneNumber: ada.phone, Left: -1})
			return err
		}},
	} {
		err := attempt.call()
		equal(t, "the code of "+what, status.Code(err), attempt.wanted)
		equal(t, "giving a reason for "+what, len(status.Convert(err).Message()) > 10, true)
	}
}
