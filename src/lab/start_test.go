package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// ends waits for a lab that does not start, and looks at what it says.
func ends(t *testing.T, process *exec.Cmd, code int, said string) {
	t.Helper()
	var stderr bytes.Buffer
	process.Stderr = &stderr
	err := process.Run()
	var exited *exec.ExitError
	if !errors.As(err, &exited) {
		t.Fatalf("the lab ended with %v", err)
	}
	equal(t, "the exit code", exited.ExitCode(), code)
	if !strings.Contains(stderr.String(), said) {
		t.Fatalf("the lab does not say %q but %q", said, stderr.String())
	}
}

func TestNothingButLoopbackIsListenedTo(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "[::]:0"} {
		ends(t, command("-listen", address, "-control", "127.0.0.1:0", "-data", t.TempDir()), exitMisguided, "loopback")
		ends(t, command("-listen", "127.0.0.1:0", "-control", address, "-data", t.TempDir()), exitMisguided, "loopback")
	}
}

func TestWhatIsNoFlagIsRefused(t *testing.T) {
	ends(t, command("-colour", "blue"), exitMisguided, "colour")
	ends(t, command("serve"), exitMisguided, "serve")
}

// soon is a second, and some more for a busy machine.
const soon = 5 * time.Second

func TestTheLabEndsSoonAfterItsParent(t *testing.T) {
	lab := start(t)
	lab.named("Ada")
	begun := time.Now()
	must(t, lab.stdin.Close())
	must(t, lab.process.Wait())
	equal(t, "ending soon", time.Since(begun) < soon, true)
}

func TestTheControlSocketIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lab.sock")
	lab := start(t, "-control", "unix:"+path)
	equal(t, "the address", lab.ready.Control, "unix:"+path)
	info, err := os.Stat(path)
	must(t, err)
	equal(t, "the mode", info.Mode().Perm(), 0o600)
	lab.named("Ada")
	ends(t, command("-listen", "127.0.0.1:0", "-control", "unix:"+path, "-data", t.TempDir()), exitFailed, "in use")
}

func TestTheLabTellsWhereItIsAndHowToTrustIt(t *testing.T) {
	lab := start(t)
	told, err := lab.GetLab(lab.ctx, &labv1.GetLabRequest{})
	must(t, err)
	equal(t, "the address", told.GetAddress(), lab.ready.Address)
	equal(t, "the root key", told.GetRootKeyHex(), lab.ready.RootKeyHex)
	equal(t, "the process", int(told.GetProcessId()), lab.process.Process.Pid)
	authority, err := os.ReadFile(lab.ready.CAPEMFile)
	must(t, err)
	equal(t, "the authority", told.GetCaPem(), string(authority))
}

func TestTheControlAPIDescribesItself(t *testing.T) {
	lab := start(t)
	connection, err := grpc.NewClient(lab.ready.Control, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	defer connection.Close() // nothing was written
	asked, err := reflection.NewServerReflectionClient(connection).ServerReflectionInfo(lab.ctx)
	must(t, err)
	must(t, asked.Send(&reflection.ServerReflectionRequest{
		MessageRequest: &reflection.ServerReflectionRequest_FileContainingSymbol{
			FileContainingSymbol: labv1.LabService_ServiceDesc.ServiceName,
		},
	}))
	answer, err := asked.Recv()
	must(t, err)
	equal(t, "being described", len(answer.GetFileDescriptorResponse().GetFileDescriptorProto()) > 0, true)
}

func TestPersonsAskNothingThatTheLabCannotAnswer(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	ada.says(bob.phone, "One")
	bob.hears()
	stats, err := lab.GetStats(lab.ctx, &labv1.GetStatsRequest{})
	must(t, err)
	for query, count := range stats.GetUnansweredIqs() {
		t.Errorf("%s was asked %d times", query, count)
	}
	equal(t, "the sockets", stats.GetConnections(), 2)
	equal(t, "counting what phones do not read", stats.GetDroppedToPhones() > 0, true)
}
