package logs

import (
	"context"
	"fmt"
	"log/slog"

	waBinary "go.mau.fi/whatsmeow/binary"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// ForWhatsmeow lets whatsmeow write to our log. What it says at its debug level holds whole stanzas, hence words and keys,
// and is never written.
func ForWhatsmeow(to *slog.Logger) waLog.Logger { return whatsmeow{to} }

type whatsmeow struct{ to *slog.Logger }

func (w whatsmeow) Errorf(format string, arguments ...any) {
	w.write(slog.LevelError, format, arguments)
}
func (w whatsmeow) Warnf(format string, arguments ...any) { w.write(slog.LevelWarn, format, arguments) }
func (w whatsmeow) Infof(format string, arguments ...any) {
	w.write(slog.LevelDebug, format, arguments)
}
func (w whatsmeow) Debugf(string, ...any)          {}
func (w whatsmeow) Sub(module string) waLog.Logger { return whatsmeow{w.to.With("part", module)} }

func (w whatsmeow) write(level slog.Level, format string, arguments []any) {
	if w.to.Enabled(context.Background(), level) {
		w.to.Log(context.Background(), level, "whatsmeow: "+fmt.Sprintf(format, withoutWords(arguments)...))
	}
}

// withoutWords puts the name of a stanza for the stanza, which may hold what people said or are called.
func withoutWords(arguments []any) []any {
	safe := make([]any, len(arguments))
	for i, argument := range arguments {
		switch stanza := argument.(type) {
		case *waBinary.Node:
			safe[i] = "<" + stanza.Tag + ">"
		case waBinary.Node:
			safe[i] = "<" + stanza.Tag + ">"
		default:
			safe[i] = argument
		}
	}
	return safe
}
