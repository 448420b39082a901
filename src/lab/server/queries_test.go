package server_test

import (
	"errors"
	"strings"
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"wagate.dev/src/lab/labtest"
)

func TestWhatNobodyKnowsIsAnsweredAndCounted(t *testing.T) {
	lab := labtest.Start(t)
	client := lab.Pair(lab.Account(ada, "Ada"))
	_, err := client.GetSubscribedNewsletters(within(t))
	var refused *whatsmeow.IQError
	if !errors.As(err, &refused) || refused.Code != 501 {
		t.Fatal(err)
	}
	if counted := lab.Unanswered(); counted["w:mex/query"] != 1 {
		t.Fatalf("%v", counted)
	}
}

func TestTheSmallQueriesAreAnswered(t *testing.T) {
	lab, client, _ := two(t)
	ctx := within(t)
	if _, err := client.SetPrivacySetting(ctx, types.PrivacySettingTypeReadReceipts, types.PrivacySettingNone); err != nil {
		t.Error(err)
	}
	if settings, err := client.TryFetchPrivacySettings(ctx, true); err != nil || settings.ReadReceipts != types.PrivacySettingNone {
		t.Errorf("%+v %v", settings, err)
	}
	blocked, err := client.UpdateBlocklist(ctx, labtest.PN(bob), events.BlocklistChangeActionBlock)
	if err != nil || len(blocked.JIDs) != 1 || blocked.JIDs[0] != labtest.PN(bob) {
		t.Errorf("%+v %v", blocked, err)
	}
	if picture, err := client.GetProfilePictureInfo(ctx, labtest.PN(bob), nil); !errors.Is(err, whatsmeow.ErrProfilePictureNotSet) {
		t.Errorf("%+v %v", picture, err)
	}
	if err := client.FetchAppState(ctx, "critical_block", true, false); err != nil {
		t.Error(err)
	}
	if _, err := client.Upload(ctx, []byte("a picture"), whatsmeow.MediaImage); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a file was taken: %v", err) // where files go is told, but none are stored yet
	}
	if unanswered := lab.Unanswered(); len(unanswered) > 0 {
		t.Errorf("not answered: %v", unanswered)
	}
}

func TestPresenceAndTypingReachThoseWhoWatch(t *testing.T) {
	_, first, second := two(t)
	first.Store.PushName = "Ada Lovelace"
	if err := second.SubscribePresence(within(t), labtest.PN(ada)); err != nil {
		t.Fatal(err)
	}
	labtest.AwaitWhere(second, func(presence *events.Presence) bool { return presence.Unavailable })
	if err := first.SendPresence(within(t), types.PresenceAvailable); err != nil {
		t.Fatal(err)
	}
	labtest.AwaitWhere(second, func(presence *events.Presence) bool { return !presence.Unavailable })
	if err := first.SendChatPresence(within(t), labtest.PN(bob), types.ChatPresenceComposing, types.ChatPresenceMediaAudio); err != nil {
		t.Fatal(err)
	}
	if typing := labtest.Await[*events.ChatPresence](second); typing.Media != types.ChatPresenceMediaAudio {
		t.Fatalf("%+v", typing)
	}
	first.Disconnect()
	gone := labtest.AwaitWhere(second, func(presence *events.Presence) bool { return presence.Unavailable })
	if gone.LastSeen.IsZero() {
		t.Fatal("never seen")
	}
}

func TestADeviceWithFewPreKeysIsAskedForMore(t *testing.T) {
	lab, first, second := two(t)
	left := func() int {
		devices, err := lab.ListDevices(bob)
		if err != nil {
			t.Fatal(err)
		}
		return devices[0].PreKeys
	}
	for range left() - 4 {
		//lint:ignore SA1019 keys are fetched without a message by this method alone
		if _, err := first.DangerousInternals().FetchPreKeys(within(t), []types.JID{*second.Store.ID}); err != nil {
			t.Fatal(err)
		}
	}
	labtest.Eventually(t, "there are more keys", func() bool { return left() > 50 })
}
