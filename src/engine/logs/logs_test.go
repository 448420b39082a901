package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestALogLineKeepsOnlyTheLastFourDigitsOfANumber(t *testing.T) {
	var out bytes.Buffer
	New(&out, slog.LevelInfo).Warn("no device for 4915112345678:7@s.whatsapp.net",
		"to", "+4915112345678", "error", errors.New("lid 123456789012345@lid is unknown"))
	line := out.String()
	for _, number := range []string{"491511234", "123456789012345"} {
		if strings.Contains(line, number) {
			t.Errorf("%s is in %s", number, line)
		}
	}
	for _, kept := range []string{"…5678:7@s.whatsapp.net", "+…5678", "…2345@lid"} {
		if !strings.Contains(line, kept) {
			t.Errorf("%s is not in %s", kept, line)
		}
	}
}

func TestALogLineHoldsNoKey(t *testing.T) {
	for _, key := range []string{
		"142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b",
		"kC3sVVZ2l8dLw7dZ0cUO0bSQyS1qVd2tU5b7l3a8nXo=",
	} {
		if redacted := Redact("the key is " + key); redacted != "the key is [key]" {
			t.Errorf("a key was logged: %s", redacted)
		}
	}
}

func TestALogLineIsJSONWithItsLevel(t *testing.T) {
	var out bytes.Buffer
	New(&out, slog.LevelInfo).Info("the engine listens", "sessions", 12345678)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["level"] != "INFO" || line["msg"] != "the engine listens" || line["sessions"] != 12345678.0 {
		t.Fatalf("unexpected line: %v", line)
	}
}
