package line

import (
	"context"
	"sync"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
)

const (
	// mostAhead is how many messages may be told before the first of them is stored.
	mostAhead = 32
	// forgetEvery is how often the buffer forgets what WhatsApp cannot repeat any more.
	forgetEvery = 12 * time.Hour
)

// told is a message that was told, and whose answer is not known yet.
type told struct {
	stanza *waBinary.Node
	info   types.MessageInfo
	hash   [32]byte // its name in the buffer
	answer Answer
}

// ahead lets messages be decrypted and told while those before them are being stored. whatsmeow would wait for each: it
// is told that the message failed, does nothing more about it then, and what it would have done is done here, once the
// message is stored: mark it as done in the buffer, and send the receipt, in order. After the first that is not stored
// nothing more is confirmed.
type ahead struct {
	line        *Line
	room        chan struct{} // holds one for each message that was told
	outstanding sync.WaitGroup

	mu       sync.Mutex
	told     []*told
	settling bool
	failed   bool
	forgot   time.Time
}

func newAhead(line *Line) *ahead { return &ahead{line: line, room: make(chan struct{}, mostAhead)} }

// add waits for room, and takes care of a message from now on.
func (a *ahead) add(message *told) {
	select {
	case a.room <- struct{}{}:
	case <-a.line.gone:
		return
	}
	a.outstanding.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, message)
	if !a.settling {
		a.settling = true
		go a.settle()
	}
}

// drained waits until nothing is outstanding, and says whether all was stored.
func (a *ahead) drained() bool {
	a.outstanding.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.failed
}

// settle confirms what was told, until nothing is outstanding.
func (a *ahead) settle() {
	for a.isAny() {
		if stored := a.stored(); len(stored) > 0 {
			if a.confirm(stored) != nil {
				a.fail()
			}
			a.release(len(stored))
		}
	}
}

// isAny says whether something is outstanding. If not, settling ends with the same look.
func (a *ahead) isAny() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settling = len(a.told) > 0
	return a.settling
}

// stored waits for the first answer, and takes along all behind it that are stored by now. If the first is not stored it
// gives up all that was told: those before it are confirmed by then.
func (a *ahead) stored() []*told {
	for count := 0; ; count++ {
		message, failed := a.at(count)
		if message == nil || count > 0 && !message.answer.IsStored() {
			return a.take(count)
		}
		if failed || !message.answer.Stored() {
			a.fail()
			a.release(len(a.take(a.count())))
			return nil
		}
	}
}

func (a *ahead) at(place int) (message *told, failed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if place < len(a.told) {
		message = a.told[place]
	}
	return message, a.failed
}

func (a *ahead) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.told)
}

func (a *ahead) take(count int) []*told {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.told[:count]
	a.told = a.told[count:]
	return taken
}

func (a *ahead) release(count int) {
	for range count {
		<-a.room
		a.outstanding.Done()
	}
}

func (a *ahead) fail() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = true
}

// confirm marks messages as done, all in one commit, and sends their receipts.
func (a *ahead) confirm(stored []*told) error {
	buffer := a.line.options.Device.EventBuffer
	err := buffer.DoDecryptionTxn(context.WithValue(a.line.ctx, confirming{}, true), func(ctx context.Context) error {
		for _, message := range stored {
			if err := a.line.gate.EventBuffer.ClearBufferedEventPlaintext(ctx, message.hash); err != nil {
				return err
			}
		}
		return a.forget(ctx)
	})
	if err != nil {
		return err
	}
	for _, message := range stored {
		a.line.internals().SendMessageReceipt(a.line.ctx, &message.info, message.stanza)
	}
	return nil
}

// forget lets the buffer forget, now and then, what was decrypted so long ago that WhatsApp repeats it no more.
func (a *ahead) forget(ctx context.Context) error {
	if time.Since(a.forgot) < forgetEvery {
		return nil
	}
	a.forgot = time.Now()
	return a.line.gate.EventBuffer.DeleteOldBufferedHashes(ctx)
}

// tellAhead takes care of what the line heard if it need not be waited for: the one message of its stanza.
func (l *Line) tellAhead(event any, answer Answer) bool {
	message, isMessage := event.(*events.Message)
	stanza := l.stanzas.atWork()
	if !isMessage || l.gate == nil || stanza == nil || !isWhole(stanza, message) || l.options.Crowded() {
		return false
	}
	l.ahead.add(&told{stanza, message.Info, l.gate.latest(), answer})
	return true
}

// isWhole says whether the message is all that its stanza holds.
func isWhole(stanza *waBinary.Node, message *events.Message) bool {
	id, _ := stanza.Attrs["id"].(string)
	return stanza.Tag == "message" && id == message.Info.ID && message.UnavailableRequestID == "" &&
		len(stanza.GetChildrenByTag("enc")) == 1
}
