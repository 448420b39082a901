// Package logs writes the engine's log: JSON lines without phone numbers, keys or words of people.
package logs

import "regexp"

var (
	longNumber = regexp.MustCompile(`[0-9]{3,}([0-9]{4})`)
	longHex    = regexp.MustCompile(`\b[0-9a-fA-F]{32,}\b`)
	longBase64 = regexp.MustCompile(`[A-Za-z0-9+/]{43}=|[A-Za-z0-9_-]{43,}`) // 32 bytes, as keys are written; no path of a file
)

// Redact leaves the last four digits of every number of seven digits or more, and nothing of what looks like a key.
func Redact(text string) string {
	text = longHex.ReplaceAllString(text, "[key]")
	text = longBase64.ReplaceAllString(text, "[key]")
	return longNumber.ReplaceAllString(text, "…$1")
}
