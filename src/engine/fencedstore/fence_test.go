package fencedstore

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"wagate.dev/src/engine/keystore"
	"wagate.dev/src/engine/postgrestest"
)

// writes is everything that whatsmeow, or we, may write into a session's keys.
func writes(owned *Store, device *store.Device) map[string]func(context.Context) error {
	anna := types.JID{User: "4915100000001", Server: types.DefaultUserServer}
	lid := types.JID{User: "900000000000001", Server: types.HiddenUserServer}
	key := [32]byte{1}
	return map[string]func(context.Context) error{
		"PutIdentity":         func(ctx context.Context) error { return device.Identities.PutIdentity(ctx, "a:1", key) },
		"DeleteAllIdentities": func(ctx context.Context) error { return device.Identities.DeleteAllIdentities(ctx, "x") },
		"DeleteIdentity":      func(ctx context.Context) error { return device.Identities.DeleteIdentity(ctx, "x:1") },
		"PutSession":          func(ctx context.Context) error { return device.Sessions.PutSession(ctx, "a:1", []byte{1}) },
		"PutManySessions": func(ctx context.Context) error {
			return device.Sessions.PutManySessions(ctx, map[string][]byte{"a:1": {1}, "x:1": {2}})
		},
		"DeleteAllSessions": func(ctx context.Context) error { return device.Sessions.DeleteAllSessions(ctx, "x") },
		"DeleteSession":     func(ctx context.Context) error { return device.Sessions.DeleteSession(ctx, "x:1") },
		"MigratePNToLID":    func(ctx context.Context) error { return device.Sessions.MigratePNToLID(ctx, anna, lid) },
		"GetOrGenPreKeys":   func(ctx context.Context) error { _, err := device.PreKeys.GetOrGenPreKeys(ctx, 5); return err },
		"GenOnePreKey":      func(ctx context.Context) error { _, err := device.PreKeys.GenOnePreKey(ctx); return err },
		"RemovePreKey":      func(ctx context.Context) error { return device.PreKeys.RemovePreKey(ctx, 1) },
		"MarkPreKeysAsUploaded": func(ctx context.Context) error {
			return device.PreKeys.MarkPreKeysAsUploaded(ctx, 9)
		},
		"PutSenderKey": func(ctx context.Context) error {
			return device.SenderKeys.PutSenderKey(ctx, "g@g.us", "a:1", []byte{1})
		},
		"PutAppStateSyncKey": func(ctx context.Context) error {
			return device.AppStateKeys.PutAppStateSyncKey(ctx, []byte{1}, store.AppStateSyncKey{Data: []byte{1}, Fingerprint: []byte{1}, Timestamp: 5})
		},
		"PutAppStateVersion": func(ctx context.Context) error {
			return device.AppState.PutAppStateVersion(ctx, "regular", 5, [128]byte{1})
		},
		"DeleteAppStateVersion": func(ctx context.Context) error { return device.AppState.DeleteAppStateVersion(ctx, "critical") },
		"PutAppStateMutationMACs": func(ctx context.Context) error {
			return device.AppState.PutAppStateMutationMACs(ctx, "critical", 2, []store.AppStateMutationMAC{{IndexMAC: key[:], ValueMAC: key[:]}})
		},
		"DeleteAppStateMutationMACs": func(ctx context.Context) error {
			return device.AppState.DeleteAppStateMutationMACs(ctx, "critical", [][]byte{make([]byte, 32)})
		},
		"PutPushName": func(ctx context.Context) error {
			_, _, err := device.Contacts.PutPushName(ctx, anna, "Anna")
			return err
		},
		"PutBusinessName": func(ctx context.Context) error {
			_, _, err := device.Contacts.PutBusinessName(ctx, anna, "Anna's")
			return err
		},
		"PutContactName": func(ctx context.Context) error { return device.Contacts.PutContactName(ctx, anna, "Anna A", "Anna") },
		"PutAllContactNames": func(ctx context.Context) error {
			return device.Contacts.PutAllContactNames(ctx, []store.ContactEntry{{JID: anna, FirstName: "Anna"}})
		},
		"PutManyRedactedPhones": func(ctx context.Context) error {
			return device.Contacts.PutManyRedactedPhones(ctx, []store.RedactedPhoneEntry{{JID: lid, RedactedPhone: "+49∙∙01"}})
		},
		"PutMutedUntil": func(ctx context.Context) error { return device.ChatSettings.PutMutedUntil(ctx, anna, time.Unix(9, 0)) },
		"PutPinned":     func(ctx context.Context) error { return device.ChatSettings.PutPinned(ctx, anna, true) },
		"PutArchived":   func(ctx context.Context) error { return device.ChatSettings.PutArchived(ctx, anna, true) },
		"PutMessageSecret": func(ctx context.Context) error {
			return device.MsgSecrets.PutMessageSecret(ctx, anna, anna, "A1", []byte{1})
		},
		"PutMessageSecrets": func(ctx context.Context) error {
			return device.MsgSecrets.PutMessageSecrets(ctx, []store.MessageSecretInsert{{Chat: anna, Sender: anna, ID: "A2", Secret: []byte{1}}})
		},
		"PutPrivacyTokens": func(ctx context.Context) error {
			return device.PrivacyTokens.PutPrivacyTokens(ctx, store.PrivacyToken{User: anna, Token: []byte{1}, Timestamp: time.Unix(9, 0)})
		},
		"DeleteExpiredPrivacyTokens": func(ctx context.Context) error {
			_, err := device.PrivacyTokens.DeleteExpiredPrivacyTokens(ctx, time.Unix(5, 0))
			return err
		},
		"PutNCTSalt":    func(ctx context.Context) error { return device.NCTSalt.PutNCTSalt(ctx, []byte{1}) },
		"DeleteNCTSalt": func(ctx context.Context) error { return device.NCTSalt.DeleteNCTSalt(ctx) },
		"PutBufferedEvent": func(ctx context.Context) error {
			return device.EventBuffer.PutBufferedEvent(ctx, key, []byte("hi"), time.Unix(1, 0))
		},
		"DoDecryptionTxn": func(ctx context.Context) error {
			return device.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
				return device.EventBuffer.PutBufferedEvent(ctx, [32]byte{2}, []byte("hi"), time.Unix(1, 0))
			})
		},
		"DoDecryptionTxn, lazily": func(ctx context.Context) error {
			return device.EventBuffer.DoDecryptionTxn(keystore.Lazily(ctx), func(ctx context.Context) error {
				return device.EventBuffer.PutBufferedEvent(ctx, [32]byte{3}, []byte("hi"), time.Unix(1, 0))
			})
		},
		"ClearBufferedEventPlaintext": func(ctx context.Context) error {
			return device.EventBuffer.ClearBufferedEventPlaintext(ctx, [32]byte{9})
		},
		"DeleteOldBufferedHashes": func(ctx context.Context) error { return device.EventBuffer.DeleteOldBufferedHashes(ctx) },
		"AddOutgoingEvent": func(ctx context.Context) error {
			return device.EventBuffer.AddOutgoingEvent(ctx, anna, "A3", "waE2E", []byte("hi"))
		},
		"DeleteOldOutgoingEvents": func(ctx context.Context) error { return device.EventBuffer.DeleteOldOutgoingEvents(ctx) },
		"PutLIDMapping":           func(ctx context.Context) error { return device.LIDs.PutLIDMapping(ctx, lid, anna) },
		"PutManyLIDMappings": func(ctx context.Context) error {
			return device.LIDs.PutManyLIDMappings(ctx, []store.LIDMapping{{LID: lid, PN: anna}})
		},
		"KeepHistoryNotice": func(ctx context.Context) error {
			return owned.KeepHistoryNotice(ctx, "A1", time.Unix(1, 0), []byte("notice"))
		},
		"Save":   func(ctx context.Context) error { return device.Save(ctx) },
		"Erase":  func(ctx context.Context) error { return owned.Erase(ctx) },
		"Delete": func(ctx context.Context) error { return device.Delete(ctx) },
	}
}

// furnish gives each table a row, which each of the deletions would find.
func furnish(t *testing.T, device *store.Device) {
	t.Helper()
	ctx := within(t)
	bob := types.JID{User: "4915100000002", Server: types.DefaultUserServer}
	must(t, device.Identities.PutIdentity(ctx, "x:1", [32]byte{7}))
	must(t, device.Sessions.PutSession(ctx, "x:1", []byte{7}))
	_, err := device.PreKeys.GetOrGenPreKeys(ctx, 3)
	must(t, err)
	must(t, device.AppState.PutAppStateVersion(ctx, "critical", 1, [128]byte{7}))
	must(t, device.AppState.PutAppStateMutationMACs(ctx, "critical", 1, []store.AppStateMutationMAC{{IndexMAC: make([]byte, 32), ValueMAC: make([]byte, 32)}}))
	must(t, device.PrivacyTokens.PutPrivacyTokens(ctx, store.PrivacyToken{User: bob, Token: []byte{7}, Timestamp: time.Unix(1, 0)}))
	must(t, device.NCTSalt.PutNCTSalt(ctx, []byte{7}))
	must(t, device.EventBuffer.PutBufferedEvent(ctx, [32]byte{9}, []byte("before"), time.Unix(1, 0)))
}

func TestAWriterWithAnOlderFenceChangesNoRow(t *testing.T) {
	url := postgrestest.Database(t)
	former := open(t, engine(t, url), "shop", 1)
	device := link(t, former, ours)
	furnish(t, device)
	open(t, engine(t, url), "shop", 2)
	watching := beside(t, url)
	before := dump(t, watching)
	for name, write := range writes(former, device) {
		if err := write(within(t)); !errors.Is(err, keystore.ErrTaken) || !keystore.IsTrouble(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := dump(t, watching); !maps.Equal(before, after) {
		t.Errorf("it changed\n%v\nto\n%v", before, after)
	}
	select {
	case <-former.Lost():
	default:
		t.Error("it does not know that it lost the session")
	}
}

func TestTheSameWritesPassWithTheNewestFence(t *testing.T) {
	database := engine(t, postgrestest.Database(t))
	number := uint16(0)
	for name := range writes(nil, &store.Device{}) {
		number++
		owned := open(t, database, "shop "+name, 1)
		device := link(t, owned, types.JID{User: ours.User, Device: number, Server: ours.Server})
		furnish(t, device)
		if err := writes(owned, device)[name](within(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryWriteOfWhatsmeowsIsAmongThoseTried(t *testing.T) {
	tried := writes(nil, &store.Device{})
	for method := range reflect.TypeFor[store.AllStores]().Methods() {
		_, isTried := tried[method.Name]
		isRead := strings.HasPrefix(method.Name, "Get") || strings.HasPrefix(method.Name, "Has") || strings.HasPrefix(method.Name, "Is") ||
			method.Name == "UploadedPreKeyCount"
		if !isTried && !isRead {
			t.Errorf("%s is not tried", method.Name)
		}
	}
}

func TestNothingIsWrittenPastTheFenceByAReadingStatement(t *testing.T) {
	url := postgrestest.Database(t)
	owned := open(t, engine(t, url), "shop", 1)
	_, err := owned.db.QueryContext(within(t), "INSERT INTO whatsmeow_lid_map (lid, pn) VALUES ('1', '2') RETURNING lid")
	if !keystore.IsTrouble(err) {
		t.Errorf("a row was written, with the answer %v", err)
	}
	if _, err := owned.db.PrepareContext(within(t), "DELETE FROM whatsmeow_device"); err == nil {
		t.Error("a statement was prepared")
	}
}

func TestALowerFenceOpensNothingAndTheSameOneTakesOver(t *testing.T) {
	url := postgrestest.Database(t)
	first := open(t, engine(t, url), "shop", 7)
	other := engine(t, url)
	var stale *StaleError
	if _, err := other.Open(within(t), tenant, "shop", 6, discard); !errors.As(err, &stale) || stale.Highest != 7 {
		t.Fatalf("it was opened with %v", err)
	}
	must(t, first.Erase(within(t)))
	second := open(t, other, "shop", 7)
	if err := first.Erase(within(t)); !errors.Is(err, keystore.ErrTaken) {
		t.Errorf("two hold the session: %v", err)
	}
	must(t, second.Erase(within(t)))
}

func TestAnOpeningGoesOnUnderAHigherFenceUnlessAnotherWasBetween(t *testing.T) {
	url := postgrestest.Database(t)
	first := open(t, engine(t, url), "shop", 1)
	if isOurs, err := first.Raise(within(t), 2); err != nil || !isOurs {
		t.Fatalf("it is ours: %v (%v)", isOurs, err)
	}
	must(t, first.Erase(within(t)))
	open(t, engine(t, url), "shop", 3)
	if isOurs, err := first.Raise(within(t), 4); err != nil || isOurs {
		t.Fatalf("it is ours: %v (%v)", isOurs, err)
	}
}

func TestATakeoverWaitsForTheTransactionThatHoldsTheSession(t *testing.T) {
	url := postgrestest.Database(t)
	former := open(t, engine(t, url), "shop", 1)
	device := link(t, former, ours)
	next := engine(t, url)
	opened := make(chan error, 1)
	err := device.EventBuffer.DoDecryptionTxn(within(t), func(ctx context.Context) error {
		go func() {
			_, err := next.Open(context.Background(), tenant, "shop", 2, discard)
			opened <- err
		}()
		select {
		case err := <-opened:
			t.Errorf("it was opened meanwhile: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		return device.Sessions.PutSession(ctx, "a:1", []byte("turned"))
	})
	must(t, err)
	must(t, <-opened)
	var session []byte
	must(t, beside(t, url).QueryRow(within(t), "SELECT session FROM whatsmeow_sessions WHERE their_id = 'a:1'").Scan(&session))
	if string(session) != "turned" {
		t.Errorf("the session is %q", session)
	}
	if err := device.Sessions.PutSession(within(t), "a:1", []byte("again")); !errors.Is(err, keystore.ErrTaken) {
		t.Errorf("then it wrote with %v", err)
	}
}
