package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
	"wagate.dev/src/engine/line"
)

func TestTheEngineSaysWhatItIs(t *testing.T) {
	w := startWorker(t)
	w.open()
	is, err := w.GetEngine(within(t), &enginev1.GetEngineRequest{})
	must(t, err)
	if is.GetLabAddress() != w.lab.address || int(is.GetProcessId()) != w.process.Process.Pid || is.GetOpenSessions() != 1 ||
		is.GetVersion() == "" || !strings.HasPrefix(is.GetWhatsmeowVersion(), "v0.") {
		t.Fatalf("it says: %v", is)
	}
}

func TestOnlyTheOwnerMayConnect(t *testing.T) {
	w := startEngine(t)
	info, err := os.Stat(filepath.Join(w.folder, "engine.sock"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Fatalf("the socket's mode is %o", info.Mode().Perm())
	}
}

func TestTheEngineLeavesWithinASecondOfItsWorker(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	w.stdin.Close()
	w.exits(time.Second)
	eventually(t, "the socket is closed", func() bool { return !w.online(ours) })
}

func TestTheEngineLeavesWithItsParentThoughSomebodyElseHoldsItsInput(t *testing.T) {
	lab := startedLab(t)
	socket := filepath.Join(t.TempDir(), "engine.sock")
	parent := exec.Command("sh", "-c", `"$0" "$@" <&3 & wait`, os.Args[0], "--socket", socket,
		"--lab-address", lab.address, "--lab-root-key", lab.rootKey, "--lab-ca", lab.authority)
	parent.Env = append(os.Environ(), asEngine+"=1")
	input, held, err := os.Pipe()
	must(t, err)
	defer held.Close()
	defer input.Close()
	parent.ExtraFiles = []*os.File{input}
	must(t, parent.Start())
	listens := func() bool {
		connection, err := net.Dial("unix", socket)
		if err == nil {
			connection.Close()
		}
		return err == nil
	}
	eventually(t, "the engine listens", listens)
	must(t, parent.Process.Kill())
	parent.Wait() //nolint:errcheck // it was killed
	killed := time.Now()
	eventually(t, "the engine is gone", func() bool { return !listens() })
	if took := time.Since(killed); took > time.Second {
		t.Errorf("that took %s", took)
	}
}

func TestToldToStopTheEngineClosesItsLinesInOrder(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	must(t, w.process.Process.Signal(syscall.SIGTERM))
	w.state(enginev1.LineChanged_STATE_CLOSED)
	w.exits(5 * time.Second)
	eventually(t, "the socket is closed", func() bool { return !w.online(ours) })
}

func TestTheLogIsJSONWithoutNumbersOrWords(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Canary"})
	w.send("3EB0AB", anna.lid, "a secret word")
	anna.say(t, ours, "another secret")
	w.message()
	w.drop(ours)
	w.state(enginev1.LineChanged_STATE_RECONNECTING)
	w.state(enginev1.LineChanged_STATE_CONNECTED)
	log := w.log.String()
	for _, canary := range []string{ours[1:], anna.phone[1:], userOf(anna.lid), "secret", "Canary"} {
		if strings.Contains(log, canary) {
			t.Errorf("%q is in the log", canary)
		}
	}
	for _, line := range bytes.Split(bytes.TrimSpace([]byte(log)), []byte("\n")) {
		if !json.Valid(line) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestALostLineIsMadeAgain(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	w.drop(ours)
	lost := w.state(enginev1.LineChanged_STATE_RECONNECTING)
	if lost.GetFailure().GetReason() != wagatev1.ErrorReason_ERROR_REASON_LINE_LOST || lost.GetNextAttemptTime() == nil {
		t.Fatalf("lost was %v", lost)
	}
	w.state(enginev1.LineChanged_STATE_CONNECTED)
}

func TestLostLinesAreMadeAgainNoFasterThanTheWorkerSays(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	_, err := w.RenewLeases(within(t), &enginev1.RenewLeasesRequest{ReconnectsPerSecond: 0.5})
	must(t, err)
	w.drop(ours)
	w.state(enginev1.LineChanged_STATE_CONNECTED)
	w.drop(ours)
	lost := w.state(enginev1.LineChanged_STATE_RECONNECTING)
	began := time.Now()
	w.state(enginev1.LineChanged_STATE_CONNECTED)
	if took := time.Since(began); took < time.Second || lost.GetNextAttemptTime().AsTime().Before(began.Add(time.Second)) {
		t.Errorf("it was made again after %s, and was to be at %s", took, lost.GetNextAttemptTime().AsTime())
	}
}

func TestALineThatStopsAnsweringIsDegradedAndThenMadeAgain(t *testing.T) {
	w := startWorker(t, "--ping-every", "100ms", "--ping-answer", "100ms")
	ours := w.pair()
	w.fault(ours, &labv1.SetFaultRequest_Fault{Frozen: true})
	degraded := w.state(enginev1.LineChanged_STATE_DEGRADED)
	if degraded.GetFailure().GetReason() != wagatev1.ErrorReason_ERROR_REASON_LINE_UNRESPONSIVE {
		t.Fatalf("degraded was %v", degraded)
	}
	lost := w.state(enginev1.LineChanged_STATE_RECONNECTING)
	if lost.GetFailure().GetReason() != wagatev1.ErrorReason_ERROR_REASON_LINE_UNRESPONSIVE {
		t.Fatalf("lost was %v", lost)
	}
	w.fault(ours, nil)
	w.state(enginev1.LineChanged_STATE_CONNECTED)
}

func TestASecondConnectionWithTheSameKeysBlocksTheFirst(t *testing.T) {
	w := startWorker(t)
	w.pair()
	folder := filepath.Join(w.folder, "copy")
	must(t, os.Mkdir(folder, 0o700))
	for _, suffix := range []string{"", "-wal"} {
		bytes, err := os.ReadFile(w.opening(1, 0).GetStorePath() + suffix)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(folder, "keys.db"+suffix), bytes, 0o600))
	}
	thief := startWorker(t)
	opening := thief.opening(1, time.Hour)
	opening.StorePath = filepath.Join(folder, "keys.db")
	_, err := thief.OpenSession(within(t), opening)
	must(t, err)
	thief.state(enginev1.LineChanged_STATE_CONNECTED)
	blocked := w.state(enginev1.LineChanged_STATE_BLOCKED)
	if blocked.GetFailure().GetReason() != wagatev1.ErrorReason_ERROR_REASON_SESSION_REPLACED {
		t.Fatalf("blocked was %v", blocked)
	}
}

func TestALabElsewhereIsRefused(t *testing.T) {
	lab := startedLab(t)
	for _, arguments := range [][]string{
		{"--lab-address", "192.0.2.1:443", "--lab-root-key", lab.rootKey, "--lab-ca", lab.authority},
		{"--lab-address", "localhost:443", "--lab-root-key", lab.rootKey, "--lab-ca", lab.authority},
		{"--lab-address", lab.address},
		{"--lab-address", lab.address, "--lab-root-key", "00", "--lab-ca", lab.authority},
		{},
	} {
		if len(arguments) > 0 {
			arguments = append(arguments, "--socket", filepath.Join(t.TempDir(), "engine.sock"))
		}
		engine := exec.Command(os.Args[0], arguments...)
		engine.Env = append(os.Environ(), asEngine+"=1")
		var said bytes.Buffer
		engine.Stderr = &said
		input, err := engine.StdinPipe()
		must(t, err)
		must(t, engine.Start())
		if err := engine.Wait(); err == nil || said.Len() == 0 {
			t.Errorf("%v was taken, and this was said: %s", arguments, said.String())
		}
		input.Close()
	}
}

func TestAProxyElsewhereIsRefusedBesideALab(t *testing.T) {
	w := startWorker(t)
	for _, proxy := range []string{"socks5://192.0.2.1:1080", "http://proxy.example:3128", "ftp://127.0.0.1:21", "socks5://user:word@%zz"} {
		opening := w.opening(1, time.Hour)
		opening.ProxyUrl = proxy
		if _, err := w.OpenSession(within(t), opening); err == nil || strings.Contains(err.Error(), "word") {
			t.Errorf("%s: %v", proxy, err)
		}
	}
}

func TestADatabaseElsewhereIsRefusedBesideALab(t *testing.T) {
	w := startWorker(t)
	for _, host := range []string{"192.0.2.1", "database.example"} {
		w.keys = &enginev1.KeyDatabase{Url: "postgresql://wagate@" + host + "/keys", TenantId: "acme"}
		if _, err := w.OpenSession(within(t), w.opening(1, time.Hour)); err == nil || !strings.Contains(err.Error(), line.ErrElsewhere.Error()) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestALineGoesThroughItsProxy(t *testing.T) {
	w := startWorker(t)
	proxy := startProxy(t, w.lab.address)
	account := w.lab.account(t)
	opening := w.opening(1, time.Hour)
	opening.ProxyUrl = "http://" + proxy.address
	_, err := w.OpenSession(within(t), opening)
	must(t, err)
	w.link(account.GetPhoneNumber())
	for _, asked := range proxy.hosts() {
		if asked != "web.whatsapp.com:443" {
			t.Errorf("the proxy was asked for %s", asked)
		}
	}
	if len(proxy.hosts()) < 2 {
		t.Errorf("the proxy was asked %d times", len(proxy.hosts()))
	}
}

func TestOneSessionsTroubleTouchesNoOther(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	opening := w.opening(1, time.Hour)
	opening.Lease.SessionId, opening.StorePath = "other", filepath.Join(w.folder, "other.db")
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	must(t, err)
	defer deaf.Close()
	opening.ProxyUrl = "socks5://" + deaf.Addr().String()
	_, err = w.OpenSession(within(t), opening)
	must(t, err)
	_, err = w.StartPairing(within(t), &enginev1.StartPairingRequest{SessionId: "other", Fence: 1, AttemptId: "p_2"})
	must(t, err)
	anna.say(t, ours, "hi")
	if told := w.message(); told.GetContent().GetText().GetText() != "hi" {
		t.Fatalf("told was %v", told)
	}
	_, err = w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: "other", Fence: 1})
	must(t, err)
}
