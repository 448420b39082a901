package fencedstore

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"wagate.dev/src/engine/postgrestest"
)

func TestWhatOneProcessLearnsOfPeopleAllOthersOfTheTenantKnow(t *testing.T) {
	url := postgrestest.Database(t)
	here, there := open(t, engine(t, url), "shop", 1).NewDevice(), open(t, engine(t, url), "branch", 1).NewDevice()
	phone := types.JID{User: "4915100000001", Server: types.DefaultUserServer}
	lid := types.JID{User: "900000000000001", Server: types.HiddenUserServer}
	for range 2 { // A miss is not kept in mind.
		if known, err := here.LIDs.GetLIDForPN(within(t), phone); err != nil || !known.IsEmpty() {
			t.Fatalf("%v is known already (%v)", known, err)
		}
	}
	must(t, there.LIDs.PutLIDMapping(within(t), lid, phone))
	if known, err := here.LIDs.GetLIDForPN(within(t), phone); err != nil || known != lid {
		t.Errorf("known is %v (%v)", known, err)
	}
	if known, err := here.LIDs.GetPNForLID(within(t), lid); err != nil || known != phone {
		t.Errorf("known is %v (%v)", known, err)
	}
}

func TestManyLearnTheSamePeopleAtOnce(t *testing.T) {
	url := postgrestest.Database(t)
	var pairs []store.LIDMapping
	for number := range 50 {
		user := string(rune('a' + number))
		pairs = append(pairs, store.LIDMapping{
			LID: types.JID{User: "9" + user, Server: types.HiddenUserServer}, PN: types.JID{User: "4" + user, Server: types.DefaultUserServer},
		})
	}
	var learning sync.WaitGroup
	for number := range 6 {
		device := open(t, engine(t, url), "shop"+string(rune('a'+number)), 1).NewDevice()
		mine := append(append([]store.LIDMapping{}, pairs[number*8:]...), pairs[:number*8]...)
		learning.Go(func() {
			if err := device.LIDs.PutManyLIDMappings(within(t), mine); err != nil {
				t.Error(err)
			}
		})
	}
	learning.Wait()
}

func TestARoleThatMayMakeNoSchemasIsGivenOne(t *testing.T) {
	url := postgrestest.Database(t)
	owner, role := beside(t, url), "clerk_"+strings.ToLower(rand.Text())
	_, err := owner.Exec(within(t), "CREATE ROLE "+role+"; CREATE SCHEMA "+SchemaOf(tenant)+" AUTHORIZATION "+role)
	must(t, err)
	clerk := engine(t, url+"&role="+role)
	link(t, open(t, clerk, "shop", 1), ours)
	if _, err := clerk.Open(within(t), "another", "branch", 1, discard); err == nil {
		t.Error("a schema was made without the right")
	}
}

func TestALinkedDeviceIsFoundAgainByItsSessionAloneAndErased(t *testing.T) {
	database := engine(t, postgrestest.Database(t))
	shop, branch := open(t, database, "shop", 1), open(t, database, "branch", 1)
	link(t, shop, ours)
	must(t, shop.KeepHistoryNotice(within(t), "A1", time.Unix(1, 0), []byte("notice")))
	if device, err := open(t, database, "shop", 2).Device(within(t), ""); err != nil || device == nil || *device.ID != ours {
		t.Errorf("found was %v (%v)", device, err)
	}
	if device, err := branch.Device(within(t), ours.String()); err != nil || device != nil {
		t.Errorf("another session found %v (%v)", device, err)
	}
	must(t, database.Forget(within(t), "shop"))
	if device, err := open(t, database, "shop", 1).Device(within(t), ours.String()); err != nil || device != nil {
		t.Errorf("after erasing there is %v (%v)", device, err)
	}
}

func TestADeviceNumberThatIsGivenToAnotherSessionHasItsKeysAlone(t *testing.T) {
	database := engine(t, postgrestest.Database(t))
	former := link(t, open(t, database, "shop", 1), ours)
	must(t, former.Sessions.PutSession(within(t), "a:1", []byte("old")))
	branch := open(t, database, "branch", 1)
	latter := link(t, branch, ours)
	found, err := branch.Device(within(t), "")
	must(t, err)
	if *found.NoiseKey.Priv != *latter.NoiseKey.Priv {
		t.Error("it has the keys of the former")
	}
	if session, err := found.Sessions.GetSession(within(t), "a:1"); err != nil || session != nil {
		t.Errorf("it has the session %q of the former (%v)", session, err)
	}
}

func TestTenantsHaveSchemasOfTheirOwn(t *testing.T) {
	seen := make(map[string]string)
	for _, tenant := range []string{"acme", "Acme", "a-b", "a_b", "", "ünder", `"; DROP`} {
		schema := SchemaOf(tenant)
		if other, isSeen := seen[schema]; isSeen || len(schema) > 63 {
			t.Errorf("%q has the schema %s, as %q", tenant, schema, other)
		}
		seen[schema] = tenant
	}
	database := engine(t, postgrestest.Database(t))
	link(t, open(t, database, "shop", 1), ours)
	elsewhere, err := database.Open(within(t), "Other", "shop", 1, discard)
	must(t, err)
	defer elsewhere.Close()
	if device, err := elsewhere.Device(within(t), ""); err != nil || device != nil {
		t.Errorf("another tenant found %v (%v)", device, err)
	}
}

func TestAStoreGoesOnAfterItsConnectionsBroke(t *testing.T) {
	url := postgrestest.Database(t)
	owned := open(t, engine(t, url), "shop", 1)
	device := link(t, owned, ours)
	cut := func() {
		_, err := beside(t, url).Exec(context.Background(),
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'wagate-engine' AND datname = current_database()")
		must(t, err)
	}
	cut()
	must(t, device.Sessions.PutSession(within(t), "a:1", []byte("first")))
	cut()
	if session, err := device.Sessions.GetSession(within(t), "a:1"); err != nil || string(session) != "first" {
		t.Errorf("read was %q (%v)", session, err)
	}
}
