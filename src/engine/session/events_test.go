package session

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// passedOver are the sorts of things that whatsmeow tells, and that say nothing about the line or about a message.
const passedOver = `
	Disconnected -- the line sees that its socket is closed
	AppState AppStateSyncComplete AppStateSyncError Archive BusinessName ClearChat Contact DeleteChat DeleteForMe
	LabelAssociationChat LabelAssociationMessage LabelEdit MarkChatAsRead Mute Pin PushName PushNameSetting Star
	UnarchiveChatsSetting UserStatusMute -- what the owner has on other devices
	Blocklist BlocklistChange ChatPresence GroupInfo IdentityChange JoinedGroup Picture Presence PrivacySettings UserAbout
	-- what people and groups are
	CallAccept CallOffer CallOfferNotice CallPreAccept CallReject CallRelayLatency CallTerminate CallTransport UnknownCallEvent
	NewsletterJoin NewsletterLeave NewsletterLiveUpdate NewsletterMuteChange -- calls and channels
	HistorySync MediaRetry -- answers to what is never asked for
	MediaRetryError MexNotificationData NewsletterMessageMeta -- parts of others`

func TestNothingThatWhatsmeowTellsIsPassedOverByAccident(t *testing.T) {
	folder, err := exec.Command("go", "list", "-f", "{{.Dir}}", "go.mau.fi/whatsmeow/types/events").Output()
	if err != nil {
		t.Fatal(err)
	}
	told := namesIn(t, strings.TrimSpace(string(folder)), `(?m)^type (\w+) struct`)
	heard := namesIn(t, ".", `\*events\.(\w+)`)
	for name := range told {
		isPassedOver := regexp.MustCompile(`\b` + name + `\b`).MatchString(passedOver)
		if !heard[name] && !isPassedOver {
			t.Errorf("nobody says what %s means", name)
		} else if heard[name] && isPassedOver {
			t.Errorf("%s is heard and passed over", name)
		}
	}
	if !told["LoggedOut"] || !heard["LoggedOut"] {
		t.Error("nothing was found")
	}
}

// namesIn finds names in the Go files of a folder, but for its tests.
func namesIn(t *testing.T, folder, pattern string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(source), -1) {
			found[match[1]] = true
		}
	}
	return found
}
