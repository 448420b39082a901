package convert

import (
	"encoding/json"
	"testing"

	"go.mau.fi/whatsmeow/types/events"
)

func TestWhatIsSaidAboutWritingToNewPeopleHasAnEndOnlyWhereWhatsAppNamesOne(t *testing.T) {
	for notice, wanted := range map[string]struct {
		active bool
		until  int64
	}{
		`{"is_active": true, "time_enforcement_ends": "1795177043"}`: {true, 1795177043},
		`{"is_active": true}`:                                         {true, 0},
		`{"is_active": true, "time_enforcement_ends": "0"}`:           {true, 0},
		`{"is_active": false, "time_enforcement_ends": "1795177043"}`: {false, 0},
	} {
		var event events.NotifyAccountReachoutTimelock
		if err := json.Unmarshal([]byte(notice), &event); err != nil {
			t.Fatal(err)
		}
		told := ReachoutRestricted(&event)
		if told.GetActive() != wanted.active || told.GetUntilTime().GetSeconds() != wanted.until {
			t.Errorf("%s is told as %v", notice, told)
		}
	}
}
