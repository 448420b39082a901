package main

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func TestWhatIsSaidToAnAbsentPersonWaits(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	bob.isOnline(false)
	equal(t, "being online", lab.device(bob.phone).GetOnline(), false)
	_, err := bob.trySay(ada.phone, "I am not here")
	equal(t, "the code of speaking while absent", status.Code(err), codes.FailedPrecondition)
	id := ada.says(bob.phone, "For later")
	equal(t, "the queue", lab.device(bob.phone).GetQueueSize() > 0, true)
	bob.isOnline(true)
	equal(t, "what waited", bob.hears().GetText(), "For later")
	delivered := lab.recorded(func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_DELIVERED && entry.GetProviderMessageId() == id
	})
	equal(t, "having waited", delivered.GetFromQueue(), true)
}

func TestForgottenKeysLeadToARetryAndToArrival(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	ada.says(bob.phone, "One")
	bob.hears()
	bob.says(ada.phone, "Two")
	ada.hears()
	bob.forgets(ada)
	id := ada.says(bob.phone, "Three")
	heard := bob.hears()
	equal(t, "the text", heard.GetText(), "Three")
	equal(t, "its id", heard.GetProviderMessageId(), id)
	equal(t, "having been asked for again", heard.GetRetryCount() > 0, true)
	lab.recorded(func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_FORWARDED && entry.GetType() == "retry" &&
			entry.GetProviderMessageId() == id && entry.GetAccount() == ada.phone
	})
}

func TestANumberThatIsGivenAgainHasMovedToAnotherLID(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	bob.says(ada.phone, "It is me")
	ada.hears()
	_, err := lab.DeleteAccount(lab.ctx, &labv1.DeleteAccountRequest{PhoneNumber: bob.phone})
	must(t, err)
	successor := lab.actor(&labv1.CreatePersonRequest{PhoneNumber: bob.phone, Name: "Cleo"})
	equal(t, "having another LID", successor.lid != bob.lid, true)
	successor.says(ada.phone, "I have Bob's number now")
	heard := ada.hears()
	equal(t, "the number", heard.GetFromPhoneNumber(), bob.phone)
	equal(t, "the LID", heard.GetFromLid(), successor.lid)
	_, err = bob.trySay(ada.phone, "And I?")
	equal(t, "the code of speaking without an account", status.Code(err), codes.FailedPrecondition)
}
