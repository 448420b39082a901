package main

import (
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

func TestALoginThatWhatsAppRefusesSaysWhy(t *testing.T) {
	const (
		blocked   = enginev1.LineChanged_STATE_BLOCKED
		loggedOut = enginev1.LineChanged_STATE_LOGGED_OUT
		again     = enginev1.LineChanged_STATE_RECONNECTING
	)
	for _, refusal := range []struct {
		number int32
		state  enginev1.LineChanged_State
		reason wagatev1.ErrorReason
		code   string
	}{
		{405, blocked, wagatev1.ErrorReason_ERROR_REASON_CLIENT_OUTDATED, "405"},
		{409, blocked, wagatev1.ErrorReason_ERROR_REASON_PROVIDER_REFUSED, "409"},
		{414, blocked, wagatev1.ErrorReason_ERROR_REASON_PROVIDER_REFUSED, "414"},
		{403, loggedOut, wagatev1.ErrorReason_ERROR_REASON_SESSION_LOGGED_OUT, "403"},
		{406, loggedOut, wagatev1.ErrorReason_ERROR_REASON_SESSION_LOGGED_OUT, "406"},
		{503, again, wagatev1.ErrorReason_ERROR_REASON_LINE_LOST, ""},
	} {
		t.Run(strconv.Itoa(int(refusal.number)), func(t *testing.T) {
			w := startWorker(t)
			ours := w.pair()
			w.fault(ours, &labv1.SetFaultRequest_Fault{LoginFailureCode: refusal.number})
			w.drop(ours)
			w.state(enginev1.LineChanged_STATE_RECONNECTING)
			told := w.state(refusal.state).GetFailure()
			if told.GetReason() != refusal.reason || told.GetProviderCode() != refusal.code {
				t.Errorf("it says: %v", told)
			}
		})
	}
}

func TestABannedLineSaysUntilWhenAndComesBackThen(t *testing.T) {
	w := startWorker(t)
	ours := w.pair()
	w.fault(ours, &labv1.SetFaultRequest_Fault{LoginFailureCode: 402, BanDuration: durationpb.New(time.Second)})
	w.drop(ours)
	banned := w.state(enginev1.LineChanged_STATE_BLOCKED)
	if banned.GetFailure().GetReason() != wagatev1.ErrorReason_ERROR_REASON_ACCOUNT_BANNED {
		t.Errorf("it says: %v", banned.GetFailure())
	}
	if left := time.Until(banned.GetBannedUntilTime().AsTime()); left > time.Second || left < -patience {
		t.Errorf("it is banned for %s", left)
	}
	w.fault(ours, nil)
	w.state(enginev1.LineChanged_STATE_CONNECTED)
}
