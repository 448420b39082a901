package convert

import (
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/types/known/timestamppb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
)

// ReachoutRestricted is WhatsApp's news about writing to new people; an end that it does not name is unset.
func ReachoutRestricted(event *events.NotifyAccountReachoutTimelock) *enginev1.ReachoutRestricted {
	restricted := &enginev1.ReachoutRestricted{Active: event.IsActive}
	if ends := event.TimeEnforcementEnds; event.IsActive && !ends.IsZero() && ends.Unix() > 0 {
		restricted.UntilTime = timestamppb.New(ends.Time)
	}
	return restricted
}
