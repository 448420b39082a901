package server_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/pair"
	"wagate.dev/src/lab/server"
)

const (
	ada = "491700000001"
	bob = "491700000002"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), labtest.Patience)
	t.Cleanup(cancel)
	return ctx
}

// askForCode lets a client ask for a code to link it to ada by.
func askForCode(t *testing.T, client *labtest.Client) string {
	t.Helper()
	client.Open()
	code, err := client.PairPhone(within(t), "+"+ada, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestAClientPairsByQR(t *testing.T) {
	lab := labtest.Start(t)
	lab.Account(ada, "Ada")
	client := lab.Client()
	codes := client.Open()
	if len(codes) != 6 {
		t.Fatalf("%d codes", len(codes))
	}
	device, err := lab.ScanQR(within(t), ada, codes[0])
	if err != nil {
		t.Fatal(err)
	}
	paired := labtest.Await[*events.PairSuccess](client)
	labtest.Await[*events.Connected](client)
	account, err := lab.Server.Account(ada)
	if err != nil {
		t.Fatal(err)
	}
	if paired.ID != device || paired.ID.Device != 1 || paired.LID.User != account.LID {
		t.Fatalf("paired as %v, %v", paired.ID, paired.LID)
	}
	devices, err := lab.ListDevices(ada)
	if err != nil || len(devices) != 1 || !devices[0].Online || devices[0].PreKeys != 812 {
		t.Fatalf("%+v %v", devices, err)
	}
}

func TestAClientPairsByCode(t *testing.T) {
	lab := labtest.Start(t)
	lab.Account(ada, "Ada")
	client := lab.Client()
	device, err := lab.EnterCode(within(t), ada, askForCode(t, client))
	if err != nil {
		t.Fatal(err)
	}
	if paired := labtest.Await[*events.PairSuccess](client); paired.ID != device {
		t.Fatalf("paired as %v, not %v", paired.ID, device)
	}
	labtest.Await[*events.Connected](client)
}

func TestAfterAWrongCodeTheRightOneStillWorks(t *testing.T) {
	lab := labtest.Start(t)
	lab.Account(ada, "Ada")
	client := lab.Client()
	code := askForCode(t, client)
	if _, err := lab.EnterCode(within(t), ada, "ABCD-1234"); !errors.Is(err, pair.ErrWrongCode) {
		t.Fatalf("the wrong code led to %v", err)
	}
	if _, err := lab.EnterCode(within(t), ada, code); err != nil {
		t.Fatal(err)
	}
	labtest.Await[*events.Connected](client)
}

func TestACodeNobodyAskedForIsRefused(t *testing.T) {
	lab := labtest.Start(t)
	lab.Account(ada, "Ada")
	lab.Client().Open()
	if _, err := lab.EnterCode(within(t), ada, "ABCD1234"); !errors.Is(err, pair.ErrNoCodeRequested) {
		t.Fatal(err)
	}
}

func TestAScanSaysWhatIsWrongWithTheCode(t *testing.T) {
	lab := labtest.Start(t)
	lab.Account(ada, "Ada")
	shown := lab.Client().Open()[0]
	other := lab.Client()
	foreign := other.Open()[0]
	_, keys, _ := cutRef(shown)
	prefix, _, _ := cutRef(foreign)
	for text, wanted := range map[string]error{
		"https://example.org": pair.ErrMalformedQR,
		"2@unknown" + keys:    pair.ErrUnknownRef,
		prefix + keys:         pair.ErrForeignKeys,
	} {
		if _, err := lab.ScanQR(within(t), ada, text); !errors.Is(err, wanted) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := lab.ScanQR(within(t), bob, shown); !errors.Is(err, model.ErrUnknownAccount) {
		t.Errorf("an unknown account: %v", err)
	}
}

// cutRef divides a QR text before the comma after its ref.
func cutRef(text string) (ref, keys string, found bool) {
	for i, char := range text {
		if char == ',' {
			return text[:i], text[i:], true
		}
	}
	return text, "", false
}

func TestWhenAllRefsAreUsedUpTheSocketCloses(t *testing.T) {
	lab := labtest.Start(t, func(options *server.Options) {
		options.Pairing = pair.Times{Refs: 2, FirstRef: 200 * time.Millisecond, NextRef: 100 * time.Millisecond, Grace: time.Second}
	})
	lab.Account(ada, "Ada")
	client := lab.Client()
	codes := client.Open()
	labtest.Await[*events.Disconnected](client)
	if _, err := lab.ScanQR(within(t), ada, codes[1]); !errors.Is(err, pair.ErrUnknownRef) {
		t.Fatal(err)
	}
}

func TestAClientMayRefuseTheNumberThatScanned(t *testing.T) {
	lab := labtest.Start(t)
	lab.Account(ada, "Ada")
	client := lab.Client()
	client.PrePairCallback = func(types.JID, string, string) bool { return false }
	codes := client.Open()
	_, err := lab.ScanQR(within(t), ada, codes[0])
	var refused *pair.Refused
	if !errors.As(err, &refused) || refused.Code != "500" {
		t.Fatal(err)
	}
	if devices, err := lab.ListDevices(ada); err != nil || len(devices) != 0 {
		t.Fatalf("%v %v", devices, err)
	}
}
