package main

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/proto/waE2E"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func TestTwoPersonsChatAndAnswer(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	question := ada.says(bob.phone, "How are you?")
	heard := bob.hears()
	equal(t, "the text", heard.GetText(), "How are you?")
	equal(t, "its id", heard.GetProviderMessageId(), question)
	equal(t, "the sender's number", heard.GetFromPhoneNumber(), ada.phone)
	equal(t, "the sender's LID", heard.GetFromLid(), ada.lid)
	_, err := lab.Say(lab.ctx, &labv1.SayRequest{
		PersonId: bob.id, To: ada.lid, What: &labv1.SayRequest_Text{Text: "Well."},
		ReplyToProviderMessageId: question, ReplyToAuthor: ada.lid,
	})
	must(t, err)
	answer := ada.hears()
	equal(t, "the answer", answer.GetText(), "Well.")
	equal(t, "what it answers", answer.GetQuotedProviderMessageId(), question)
	content := &waE2E.Message{}
	must(t, proto.Unmarshal(answer.GetRawMessage(), content))
	quoted := content.GetExtendedTextMessage().GetContextInfo().GetQuotedMessage().GetConversation()
	equal(t, "the quoted text", quoted, "How are you?")
}

func TestDeliveryAndReadingAreToldToTheSender(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	id := ada.says(bob.phone, "Read this")
	bob.hears()
	told := func(kind string) func(*labv1.OracleEntry) bool {
		return func(entry *labv1.OracleEntry) bool {
			return entry.GetKind() == labv1.OracleEntry_KIND_FORWARDED && entry.GetAccount() == ada.phone &&
				entry.GetPeer() == bob.phone && entry.GetProviderMessageId() == id && entry.GetType() == kind
		}
	}
	lab.recorded(told(""))
	_, err := lab.MarkRead(lab.ctx, &labv1.MarkReadRequest{
		PersonId: bob.id, Sender: ada.phone, ProviderMessageIds: []string{id},
	})
	must(t, err)
	lab.recorded(told("read"))
}

func TestAPersonOnAnExistingAccountSeesWhatTheOtherDeviceWrites(t *testing.T) {
	lab := start(t)
	bob, ada := lab.named("Bob"), lab.named("Ada")
	owner := lab.actor(&labv1.CreatePersonRequest{PhoneNumber: ada.phone})
	equal(t, "the owner's device", owner.device, 2)
	ada.says(bob.phone, "From one device")
	seen := owner.hears()
	equal(t, "the text", seen.GetText(), "From one device")
	equal(t, "from_me", seen.GetFromMe(), true)
	equal(t, "the chat", seen.GetChatJid(), bob.lid)
	owner.says(bob.phone, "From the other")
	equal(t, "what the first device sees", ada.hears().GetText(), "From the other")
	equal(t, "what Bob hears first", bob.hears().GetText(), "From one device")
	equal(t, "what Bob hears then", bob.hears().GetText(), "From the other")
}

func TestRawMessagesAndOwnIdsAreSentAsTheyAre(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	raw, err := proto.Marshal(&waE2E.Message{LocationMessage: &waE2E.LocationMessage{Name: proto.String("Here")}})
	must(t, err)
	_, err = lab.Say(lab.ctx, &labv1.SayRequest{
		PersonId: ada.id, To: bob.phone, What: &labv1.SayRequest_RawMessage{RawMessage: raw},
		ProviderMessageId: "3EB0FEED",
	})
	must(t, err)
	heard := bob.hears()
	equal(t, "the id", heard.GetProviderMessageId(), "3EB0FEED")
	content := &waE2E.Message{}
	must(t, proto.Unmarshal(heard.GetRawMessage(), content))
	equal(t, "the place", content.GetLocationMessage().GetName(), "Here")
}

func TestWhatIsAcceptedIsOnDiskBeforeSayAnswers(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	for range 20 {
		id := ada.says(bob.phone, "Once more")
		equal(t, "being logged", lab.counted(labv1.OracleEntry_KIND_ACCEPTED, id), 1)
	}
}

func TestSpeakingToNobodyIsNotFound(t *testing.T) {
	lab := start(t)
	ada := lab.named("Ada")
	_, err := ada.trySay("+447700900999", "Hello?")
	equal(t, "the code", status.Code(err), codes.NotFound)
	_, err = ada.trySay("447700900999", "Hello?")
	equal(t, "the code without a plus", status.Code(err), codes.InvalidArgument)
}
