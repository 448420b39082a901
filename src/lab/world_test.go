package main

import (
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func TestASavedWorldGoesOnInOtherLabsWithoutPairing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "world")
	original := start(t)
	ada, bob := original.named("Ada"), original.named("Bob")
	first := ada.says(bob.phone, "Before")
	bob.hears()
	bob.isOnline(false)
	ada.says(bob.phone, "Waiting")
	_, err := original.SaveWorld(original.ctx, &labv1.SaveWorldRequest{Folder: folder})
	must(t, err)
	_, err = original.SaveWorld(original.ctx, &labv1.SaveWorldRequest{Folder: folder})
	equal(t, "the code of saving there again", status.Code(err), codes.AlreadyExists)
	original.stop()

	for range 2 {
		loaded := start(t, "-world", folder)
		equal(t, "the root key", loaded.ready.RootKeyHex, original.ready.RootKeyHex)
		ada, bob := ada.in(loaded, 0), bob.in(loaded, 0)
		equal(t, "what Bob had received", bob.hears().GetProviderMessageId(), first)
		equal(t, "what had waited for Bob", bob.hears().GetText(), "Waiting")
		bob.says(ada.phone, "After")
		equal(t, "what Ada hears", ada.hears().GetText(), "After")
		ada.says(bob.phone, "Indeed")
		equal(t, "what Bob hears", bob.hears().GetText(), "Indeed")
		for _, entry := range loaded.log() {
			equal(t, "pairing", entry.GetKind() == labv1.OracleEntry_KIND_LINKED, false)
		}
		equal(t, "the next person", loaded.named("Cleo").id, "person-3")
	}
}

func TestAFolderWithoutAWorldIsRefused(t *testing.T) {
	process := command("-listen", "127.0.0.1:0", "-control", "127.0.0.1:0", "-data", t.TempDir(), "-world", t.TempDir())
	ends(t, process, exitFailed, "world.json")
}

func TestALabDoesNotWriteIntoTheWorldItStartsFrom(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "world")
	lab := start(t)
	_, err := lab.SaveWorld(lab.ctx, &labv1.SaveWorldRequest{Folder: folder})
	must(t, err)
	process := command("-listen", "127.0.0.1:0", "-control", "127.0.0.1:0", "-data", folder, "-world", folder)
	ends(t, process, exitFailed, "another folder")
}
