package main

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
	} {
		err := attempt.call()
		equal(t, "the code of "+what, status.Code(err), attempt.wanted)
		equal(t, "giving a reason for "+what, len(status.Convert(err).Message()) > 10, true)
	}
}
