package line

import (
	"sync"

	waBinary "go.mau.fi/whatsmeow/binary"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// departures knows which messages were handed to the socket. whatsmeow's errors do not tell, and it is the difference
// between a message that surely did not leave and one that may have: so this listens to the stanza logger, which
// whatsmeow calls right before it writes.
type departures struct {
	mu      sync.Mutex
	awaited map[string]bool // by message id; true once handed to the socket
}

func (d *departures) await(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.awaited[id] = false
}

// settle says whether the message was handed to the socket, and forgets it.
func (d *departures) settle(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := d.awaited[id]
	delete(d.awaited, id)
	return left
}

func (d *departures) see(stanza *waBinary.Node) {
	id, _ := stanza.Attrs["id"].(string)
	if stanza.Tag != "message" || id == "" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, isAwaited := d.awaited[id]; isAwaited {
		d.awaited[id] = true
	}
}

// logger is whatsmeow's logger with an ear on what is sent.
type logger struct {
	waLog.Logger
	departures *departures
}

// Warnf leaves out what whatsmeow says about each message that is told ahead.
func (l logger) Warnf(format string, arguments ...any) {
	if format != "Handler for %s failed" {
		l.Logger.Warnf(format, arguments...)
	}
}

func (l logger) Sub(module string) waLog.Logger {
	if module == "Send" {
		return sendLogger{l.Logger.Sub(module), l.departures}
	}
	return l.Logger.Sub(module)
}

type sendLogger struct {
	waLog.Logger
	departures *departures
}

func (s sendLogger) Debugf(_ string, arguments ...any) {
	for _, argument := range arguments {
		if stanza, ok := argument.(*waBinary.Node); ok {
			s.departures.see(stanza)
		}
	}
}
