package pair

import (
	"strings"
	"testing"
)

// FuzzACodeOfAnyText shows that a code is refused, or names keys of the right length.
func FuzzACodeOfAnyText(f *testing.F) {
	key := strings.Repeat("A", 43) + "="
	f.Add("https://wa.me/settings/linked_devices#2@ref," + key + "," + key + "," + key)
	f.Add("2@ref,a,b,c")
	f.Add("#,,,,")
	f.Fuzz(func(t *testing.T, text string) {
		code, err := parseQR(text)
		if err == nil && (len(code.noise) != 32 || len(code.identity) != 32 || len(code.secret) != 32) {
			t.Fatalf("%q was read as %+v", text, code)
		}
	})
}
