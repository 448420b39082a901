package main

import (
	"strings"
	"testing"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func TestEveryNamingIsUnderstoodBothWays(t *testing.T) {
	for _, naming := range []labv1.CreateAccountRequest_Naming{
		labv1.CreateAccountRequest_NAMING_UNSPECIFIED, labv1.CreateAccountRequest_NAMING_LID_ONLY,
		labv1.CreateAccountRequest_NAMING_PHONE_WITH_LID, labv1.CreateAccountRequest_NAMING_PHONE_ONLY,
	} {
		t.Run(naming.String(), func(t *testing.T) {
			lab := start(t)
			ada := lab.named("Ada")
			bob := lab.actor(&labv1.CreatePersonRequest{Name: "Bob", Naming: naming})
			bob.says(ada.phone, "One")
			first := ada.hears()
			equal(t, "the text", first.GetText(), "One")
			withPhone := naming != labv1.CreateAccountRequest_NAMING_LID_ONLY
			withLID := naming != labv1.CreateAccountRequest_NAMING_PHONE_ONLY
			equal(t, "knowing the number", first.GetFromPhoneNumber() == bob.phone, withPhone)
			equal(t, "knowing the LID", first.GetFromLid() == bob.lid, withLID)
			name := bob.lid
			if withPhone {
				name = bob.phone
			}
			id := ada.says(name, "Two")
			equal(t, "the answer", bob.hears().GetText(), "Two")
			receipt := lab.recorded(func(entry *labv1.OracleEntry) bool {
				return entry.GetKind() == labv1.OracleEntry_KIND_FORWARDED && entry.GetProviderMessageId() == id
			})
			byLID := strings.HasSuffix(receipt.GetFromJid(), "@lid")
			equal(t, "being named by LID in receipts", byLID, strings.HasSuffix(first.GetChatJid(), "@lid"))
			bob.says(ada.phone, "Three")
			equal(t, "what comes after it", ada.hears().GetText(), "Three")
			ada.forgets(bob)
			bob.says(ada.phone, "Four")
			fourth := ada.hears()
			equal(t, "what comes with keys forgotten", fourth.GetText(), "Four")
			equal(t, "having been asked for again", fourth.GetRetryCount() > 0, true)
			bob.forgets(ada)
			ada.says(name, "Five")
			equal(t, "the answer with keys forgotten", bob.hears().GetText(), "Five")
		})
	}
}
