package main

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// group makes a group of some actors, the first of whom is its creator.
func (l *lab) group(addressing labv1.Group_Addressing, members ...*actor) *labv1.Group {
	l.t.Helper()
	request := &labv1.CreateGroupRequest{Creator: members[0].phone, Subject: "Friends", Addressing: addressing}
	for _, member := range members[1:] {
		request.Members = append(request.Members, member.phone)
	}
	created, err := l.CreateGroup(l.ctx, request)
	must(l.t, err)
	return created.GetGroup()
}

func TestPersonsChatInGroupsOfEitherAddressing(t *testing.T) {
	lab := start(t)
	ada, bob, carol := lab.named("Ada"), lab.named("Bob"), lab.named("Carol")
	for _, addressing := range []labv1.Group_Addressing{
		labv1.Group_ADDRESSING_UNSPECIFIED, labv1.Group_ADDRESSING_PHONE,
	} {
		group := lab.group(addressing, ada, bob, carol).GetJid()
		question := ada.says(group, "Who is here?")
		for _, listener := range []*actor{bob, carol} {
			heard := listener.hears()
			equal(t, "the text", heard.GetText(), "Who is here?")
			equal(t, "the chat", heard.GetChatJid(), group)
			equal(t, "the sender's LID", heard.GetFromLid(), ada.lid)
			equal(t, "the sender's number", heard.GetFromPhoneNumber(), ada.phone)
		}
		_, err := lab.Say(lab.ctx, &labv1.SayRequest{
			PersonId: bob.id, To: group, What: &labv1.SayRequest_Text{Text: "Me."},
			ReplyToProviderMessageId: question, ReplyToAuthor: ada.lid,
		})
		must(t, err)
		for _, listener := range []*actor{ada, carol} {
			equal(t, "what the answer answers", listener.hears().GetQuotedProviderMessageId(), question)
		}
		_, err = lab.MarkRead(lab.ctx, &labv1.MarkReadRequest{
			PersonId: carol.id, Sender: ada.phone, GroupJid: group, ProviderMessageIds: []string{question},
		})
		must(t, err)
		read := lab.recorded(func(entry *labv1.OracleEntry) bool {
			return entry.GetKind() == labv1.OracleEntry_KIND_FORWARDED && entry.GetType() == "read" &&
				entry.GetProviderMessageId() == question
		})
		equal(t, "whom reading was told", read.GetAccount(), ada.phone)
		equal(t, "who read", read.GetPeer(), carol.phone)
		equal(t, "where", read.GetToJid(), group)
		equal(t, "being delivered", lab.counted(labv1.OracleEntry_KIND_DELIVERED, question), 2)
	}
}

func TestWhoIsInAGroupChanges(t *testing.T) {
	lab := start(t)
	ada, bob, carol := lab.named("Ada"), lab.named("Bob"), lab.named("Carol")
	group := lab.group(labv1.Group_ADDRESSING_UNSPECIFIED, ada, bob).GetJid()
	ada.says(group, "for two")
	bob.hears()
	changed, err := lab.ChangeGroupMembers(lab.ctx, &labv1.ChangeGroupMembersRequest{
		GroupJid: group, Join: []string{carol.phone}, Leave: []string{bob.phone},
	})
	must(t, err)
	equal(t, "how many are in there", len(changed.GetGroup().GetMembers()), 2)
	ada.says(group, "for two others")
	equal(t, "what Carol hears", carol.hears().GetText(), "for two others")
	_, err = bob.trySay(group, "let me in")
	equal(t, "the code for one who left", status.Code(err), codes.FailedPrecondition)
	_, err = ada.trySay("120363000000000000@g.us", "Hello?")
	equal(t, "the code for no group", status.Code(err), codes.NotFound)
	_, err = lab.CreateGroup(lab.ctx, &labv1.CreateGroupRequest{Creator: ada.phone, Members: []string{"+447700900999"}})
	equal(t, "the code for no member", status.Code(err), codes.NotFound)
	listed, err := lab.ListGroups(lab.ctx, &labv1.ListGroupsRequest{})
	must(t, err)
	equal(t, "how many groups there are", len(listed.GetGroups()), 1)
	equal(t, "its subject", listed.GetGroups()[0].GetSubject(), "Friends")
}

func TestTheKeysThatAPersonForgotAreAskedForInAGroupToo(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	group := lab.group(labv1.Group_ADDRESSING_UNSPECIFIED, ada, bob).GetJid()
	bob.says(group, "so that Ada has a session with me")
	ada.says(group, "before")
	equal(t, "what Bob hears", bob.hears().GetText(), "before")
	ada.says(group, "and now by a running ratchet")
	bob.hears()
	bob.forgets(ada)
	ada.says(group, "after")
	heard := bob.hears()
	equal(t, "what Bob hears after", heard.GetText(), "after")
	equal(t, "having been asked for again", heard.GetRetryCount() > 0, true)
}
