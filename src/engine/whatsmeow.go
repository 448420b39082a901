package main

import (
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/store"
)

// prepareWhatsmeow sets what whatsmeow keeps once per process. It must run before the first line is made.
func prepareWhatsmeow(s *settings, labRootKey []byte) {
	store.SetOSInfo("wagate", [3]uint32{0, 1, 0})
	store.DeviceProps.PlatformType = waCompanionReg.DeviceProps_CHROME.Enum()
	whatsmeow.KeepAliveIntervalMin = s.pingEvery * 3 / 4
	whatsmeow.KeepAliveIntervalMax = max(s.pingEvery, whatsmeow.KeepAliveIntervalMin+time.Millisecond)
	whatsmeow.KeepAliveResponseDeadline = s.pingAnswer
	if labRootKey != nil {
		whatsmeow.WACertPubKey = [32]byte(labRootKey)
	}
}
