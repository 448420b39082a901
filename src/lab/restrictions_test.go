package main

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

func TestABanAndALockAreToldWithTheirEndAndLifted(t *testing.T) {
	lab := start(t)
	ada, bob := lab.named("Ada"), lab.named("Bob")
	begun := time.Now()
	banned, err := lab.BanAccount(lab.ctx, &labv1.BanAccountRequest{
		PhoneNumber: bob.phone, Duration: durationpb.New(time.Hour), ReasonCode: 104,
	})
	must(t, err)
	equal(t, "an hour", banned.GetUntilTime().AsTime().Sub(begun).Round(time.Minute), time.Hour)
	lab.recorded(func(entry *labv1.OracleEntry) bool {
		return entry.GetKind() == labv1.OracleEntry_KIND_LOGOUT && entry.GetAccount() == bob.phone
	})
	locked, err := lab.LockReachout(lab.ctx, &labv1.LockReachoutRequest{PhoneNumber: ada.phone})
	must(t, err)
	equal(t, "having an end", locked.GetUntilTime() == nil, true)
	_, err = ada.trySay(bob.phone, "Not to you")
	equal(t, "naming the number", err != nil && strings.Contains(err.Error(), "463"), true)
	for _, phone := range []string{ada.phone, bob.phone} {
		_, err = lab.LiftRestrictions(lab.ctx, &labv1.LiftRestrictionsRequest{PhoneNumber: phone})
		must(t, err)
	}
	ada.says(bob.phone, "Now to you")
	bob.isOnline(true)
	equal(t, "what waited", bob.hears().GetText(), "Now to you")
}
