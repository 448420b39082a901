package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/engine/fencedstore"
	"wagate.dev/src/engine/postgrestest"
)

const tenant = "acme"

// secret stands for the password that a URL may hold.
const secret = "canary-of-a-password"

// startWorkerOn starts a worker whose engine keeps keys in a database, where it is known by this name.
func startWorkerOn(t *testing.T, url, name string, fence int64) *worker {
	t.Helper()
	w := startWorker(t)
	w.fence = fence
	w.keys = &enginev1.KeyDatabase{Url: url + "&application_name=" + name + "&password=" + secret + "&idle_in_transaction_session_timeout=1s", TenantId: tenant}
	t.Cleanup(func() {
		if strings.Contains(w.log.String(), secret) {
			t.Error("the log tells the database's password")
		}
	})
	return w
}

// observer is a connection to the database beside the engines', which sees who writes.
type observer struct {
	*pgx.Conn
	t *testing.T
}

// observe notes from now on each row that is changed, and by whom.
func observe(t *testing.T, url string) *observer {
	t.Helper()
	conn, err := pgx.Connect(within(t), url)
	must(t, err)
	t.Cleanup(func() { conn.Close(context.Background()) })
	o := &observer{conn, t}
	o.do("SET search_path TO " + fencedstore.SchemaOf(tenant))
	o.do(`CREATE TABLE public.writer (name TEXT, what TEXT)`)
	o.do(`CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO public.writer VALUES (current_setting('application_name'), TG_TABLE_NAME); RETURN NULL; END $$`)
	o.do(`DO $$ DECLARE named TEXT; BEGIN
		FOR named IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
			EXECUTE format('CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION public.note()', named);
		END LOOP; END $$`)
	return o
}

func (o *observer) do(statement string) {
	o.t.Helper()
	_, err := o.Exec(within(o.t), statement)
	must(o.t, err)
}

func (o *observer) count(query string, args ...any) (count int) {
	o.t.Helper()
	must(o.t, o.QueryRow(within(o.t), query, args...).Scan(&count))
	return count
}

func (o *observer) writtenBy(name string) int {
	return o.count("SELECT count(*) FROM public.writer WHERE name = $1", name)
}

// hears waits for a message with this text. One whose receipt had not left before the line ended may come again first.
func (w *worker) hears(text string) {
	w.t.Helper()
	next(w, text, func(item *enginev1.Item) (bool, bool) {
		return true, item.GetMessageArrived().GetContent().GetText().GetText() == text
	})
}

// chats sees that a text goes each way.
func (w *worker) chats(ours string, with *person, id string) {
	w.t.Helper()
	if sent := w.send(id, with.lid, "to "+id); sent.GetSent() == nil {
		w.t.Fatalf("sending gave %v", sent)
	}
	if heard := with.hears(w.t); heard.GetText() != "to "+id {
		w.t.Fatalf("%s was heard", heard)
	}
	with.say(w.t, ours, "from "+id)
	w.hears("from " + id)
}

func TestAnEngineFrozenInMidDecryptChangesNoRowAfterATakeover(t *testing.T) {
	url := postgrestest.Database(t)
	first := startWorkerOn(t, url, "first", 1)
	ours := first.pair()
	anna := first.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	first.chats(ours, anna, "3EB0F1")
	observer := observe(t, url)

	held, err := pgx.Connect(within(t), url)
	must(t, err)
	defer held.Close(context.Background()) //nolint:errcheck // it is closed already if all goes well
	_, err = held.Exec(within(t), "BEGIN; LOCK TABLE "+fencedstore.SchemaOf(tenant)+".whatsmeow_sessions IN EXCLUSIVE MODE")
	must(t, err)
	anna.say(t, ours, "while it froze")
	midway := `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'first' AND wait_event_type = 'Lock' AND query LIKE '%whatsmeow_sessions%'`
	eventually(t, "it is in mid-decrypt", func() bool { return observer.count(midway) == 1 })
	must(t, first.process.Process.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { first.process.Process.Signal(syscall.SIGCONT) }) //nolint:errcheck // it may run already
	must(t, held.Close(within(t)))

	second := startWorkerOn(t, url, "second", 2)
	second.open()
	second.hears("while it froze")
	second.chats(ours, anna, "3EB0F2")
	before := observer.writtenBy("first")

	must(t, first.process.Process.Signal(syscall.SIGCONT))
	next(first, "the end of the first line", func(item *enginev1.Item) (bool, bool) {
		state := item.GetLineChanged().GetState()
		return true, state == enginev1.LineChanged_STATE_CLOSED || state == enginev1.LineChanged_STATE_BLOCKED
	})
	if sent, err := first.SendMessage(within(t), first.sending("3EB0F3", anna.lid, "from the past")); err == nil && sent.GetSent() != nil {
		t.Error("the former owner sent a message")
	}
	second.chats(ours, anna, "3EB0F4")
	if after := observer.writtenBy("first"); after != before {
		t.Errorf("the former owner changed %d rows", after-before)
	}
	if observer.writtenBy("second") == 0 {
		t.Error("nobody's writes were seen")
	}
}

func TestANumberThatAnotherWorkerLearntIsKnown(t *testing.T) {
	url := postgrestest.Database(t)
	first := startWorkerOn(t, url, "first", 1)
	first.pair()
	anna := first.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	lid := func(w *worker) string {
		found, err := w.ResolveContacts(within(t), &enginev1.ResolveContactsRequest{SessionId: shop, Jids: []string{jidOf(anna.phone)}})
		must(t, err)
		return found.GetNames()[0].GetLid()
	}
	if known := lid(first); known != "" {
		t.Fatalf("%s is known already", known)
	}
	second := startWorkerOn(t, url, "second", 2)
	second.open()
	second.state(enginev1.LineChanged_STATE_CONNECTED)
	_, err := second.CheckContacts(within(t), &enginev1.CheckContactsRequest{SessionId: shop, Fence: 2, PhoneNumbers: []string{anna.phone}})
	must(t, err)
	if known := lid(second); known != anna.lid {
		t.Errorf("who learnt it knows %q", known)
	}
	first.fence = 3
	first.open()
	first.state(enginev1.LineChanged_STATE_CONNECTED)
	if known := lid(first); known != anna.lid {
		t.Errorf("after a takeover %q is known", known)
	}
}

func TestASessionThatWasCarriedChatsOn(t *testing.T) {
	url := postgrestest.Database(t)
	w := startWorker(t)
	ours := w.pair()
	anna := w.lab.person(t, &labv1.CreatePersonRequest{Name: "Anna"})
	w.chats(ours, anna, "3EB0C1")
	file := w.opening(1, 0).GetStorePath()
	carry := &enginev1.CarrySessionRequest{SessionId: shop, Fence: 2, StorePath: file, Database: &enginev1.KeyDatabase{Url: url, TenantId: tenant}}
	_, err := w.CarrySession(within(t), carry)
	w.refuses("STORE_LOCKED", err)
	_, err = w.CloseSession(within(t), &enginev1.CloseSessionRequest{SessionId: shop, Fence: 2})
	must(t, err)
	anna.say(t, ours, "while it was carried")
	carried, err := w.CarrySession(within(t), carry)
	must(t, err)
	if carried.GetDevice().GetPhoneNumber() != ours || carried.GetRowCount() < 800 {
		t.Errorf("carried were %v", carried)
	}
	again, err := w.CarrySession(within(t), carry)
	must(t, err)
	if again.GetRowCount() != 0 || again.GetDevice().GetJid() != carried.GetDevice().GetJid() {
		t.Errorf("carried again were %v", again)
	}
	elsewhere := startWorkerOn(t, url, "elsewhere", 3)
	elsewhere.open()
	elsewhere.hears("while it was carried")
	elsewhere.chats(ours, anna, "3EB0C2")
	carry.SessionId, carry.StorePath = "another", file+".none"
	_, err = w.CarrySession(within(t), carry)
	w.refuses("NOTHING_TO_CARRY", err)
}

func TestManySessionsShareAHandfulOfConnections(t *testing.T) {
	url := postgrestest.Database(t)
	w := startWorkerOn(t, url, "one", 1)
	w.keys.MostConnections = 3
	w.open()
	observer := observe(t, url)
	done := make(chan error)
	for number := range 100 {
		opening := w.opening(1, time.Hour)
		opening.Lease = &enginev1.Lease{SessionId: shop + string(rune('a'+number)), Fence: 1, Remaining: durationpb.New(time.Hour)}
		go func() {
			_, err := w.OpenSession(within(t), opening)
			done <- err
		}()
	}
	for range 100 {
		must(t, <-done)
	}
	if used := observer.count("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'one'"); used > 3 {
		t.Errorf("%d connections are used", used)
	}
	_, err := w.ListKeptSessions(within(t), &enginev1.ListKeptSessionsRequest{})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("asked of no database it says %v", err)
	}
	kept, err := w.ListKeptSessions(within(t), &enginev1.ListKeptSessionsRequest{Database: w.keys})
	must(t, err)
	if len(kept.GetSessionIds()) != 101 {
		t.Errorf("%d sessions are kept", len(kept.GetSessionIds()))
	}
	_, err = w.EraseKeptSession(within(t), &enginev1.EraseKeptSessionRequest{Database: w.keys, SessionId: shop})
	must(t, err)
	if left := observer.count("SELECT count(*) FROM engine_session WHERE session_id = $1", shop); left != 0 {
		t.Error("the erased session is still kept")
	}
}

func TestTheEngineLeavesWithinASecondOfItsWorkerThoughTheDatabaseHangs(t *testing.T) {
	url := postgrestest.Database(t)
	w := startWorkerOn(t, url, "stuck", 1)
	w.open()
	observer := observe(t, url)
	observer.do("BEGIN; LOCK TABLE engine_session IN EXCLUSIVE MODE")
	go w.OpenSession(within(t), w.opening(2, time.Hour)) //nolint:errcheck // the engine leaves without an answer
	waits := `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stuck' AND wait_event_type = 'Lock'`
	eventually(t, "the engine waits for the database", func() bool { return observer.count(waits) > 0 })
	w.stdin.Close()
	w.exits(time.Second)
}
