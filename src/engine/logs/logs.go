package logs

import (
	"fmt"
	"io"
	"log/slog"
)

// New makes the engine's logger: one JSON object per line, every text redacted.
func New(to io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level, ReplaceAttr: redactAttribute}))
}

func redactAttribute(_ []string, attribute slog.Attr) slog.Attr {
	switch attribute.Value.Kind() {
	case slog.KindString:
		attribute.Value = slog.StringValue(Redact(attribute.Value.String()))
	case slog.KindAny:
		if _, isLevel := attribute.Value.Any().(slog.Level); !isLevel {
			attribute.Value = slog.StringValue(Redact(fmt.Sprint(attribute.Value.Any())))
		}
	}
	return attribute
}
