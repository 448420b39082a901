package session

import (
	"time"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

// heedSilence sees what no ping tells: one that cannot even be written, because much else was before it.
func (c *connection) heedSilence(silence time.Duration) {
	switch {
	case silence > 2*c.session.house.Pace.Silence:
		c.conclude(unresponsive())
	case silence > c.session.house.Pace.Silence:
		c.degrade()
	case c.session.stateNow() == enginev1.LineChanged_STATE_DEGRADED && silence < c.session.house.Pace.Silence/4:
		c.connected()
	}
}

// pingUnanswered heeds a ping without an answer, unless the answer may lie behind what the line does not read just now.
func (c *connection) pingUnanswered(inARow int) {
	switch {
	case c.line.HeldBack(c.session.house.Pace.Silence):
	case inARow > 1:
		c.conclude(unresponsive())
	default:
		c.degrade()
	}
}

// degrade tells that the line does not answer, unless that was told. A line that is not up yet is not up anyway.
func (c *connection) degrade() {
	if !c.isUp() || c.session.stateNow() == enginev1.LineChanged_STATE_DEGRADED {
		return
	}
	c.tell(&enginev1.LineChanged{
		State:   enginev1.LineChanged_STATE_DEGRADED,
		Failure: failure(wagatev1.ErrorReason_ERROR_REASON_LINE_UNRESPONSIVE, "", "The line did not answer a ping."),
	})
}
