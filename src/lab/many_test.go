package main

import (
	"fmt"
	"testing"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// many is what one client can hold: whatsmeow's queue takes 2,048 stanzas, and
// loses the order of more than that if they all come at once.
const many = 1500

func TestABacklogWaitsAndIsHeardInOrder(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	bob.isOnline(false)
	said, err := lab.SayMany(lab.ctx, &labv1.SayManyRequest{PersonId: ada.id, To: bob.phone, Text: "Text", Count: many})
	must(t, err)
	ids := said.GetProviderMessageIds()
	equal(t, "the number of ids", len(ids), many)
	equal(t, "what waits", lab.device(bob.phone).GetQueueSize() >= many, true)
	bob.isOnline(true)
	for i, id := range ids {
		heard := bob.hears()
		equal(t, "the id", heard.GetProviderMessageId(), id)
		equal(t, "the text", heard.GetText(), fmt.Sprintf("Text %d", i+1))
	}
	accepted := 0
	for _, entry := range lab.log() {
		if entry.GetKind() == labv1.OracleEntry_KIND_ACCEPTED {
			equal(t, "the order of the log", entry.GetProviderMessageId(), ids[accepted])
			accepted++
		}
	}
	equal(t, "what was accepted", accepted, many)
	bob.says(ada.phone, "Done")
	equal(t, "the answer", ada.hears().GetText(), "Done")
	ada.says(bob.phone, "And one by one again")
	equal(t, "what comes after the backlog", bob.hears().GetText(), "And one by one again")
}
