package main

import (
	"io"
	"testing"
	"time"
)

func TestByDefaultASilentLineIsSeenInTime(t *testing.T) {
	s, err := parseSettings([]string{"--socket", "x"}, io.Discard)
	must(t, err)
	if degraded := s.pace.Silence * 9 / 8; degraded > 45*time.Second || s.pingEvery+s.pingAnswer > 45*time.Second {
		t.Errorf("it is degraded after %s", degraded)
	}
	if again := s.pace.Silence * 17 / 8; again > 90*time.Second || 2*(s.pingEvery+s.pingAnswer) > 90*time.Second {
		t.Errorf("it is made again after %s", again)
	}
	if s.pace.Silence <= s.pingEvery+s.pingAnswer {
		t.Error("a line that answers in the last moment is taken for silent")
	}
	if s.connectRate != 40 || s.pace.Settlement != 20*time.Second {
		t.Errorf("the defaults are %+v", s)
	}
}
