package main

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

const number = "+447700900555"

func (l *lab) account(number string) {
	l.t.Helper()
	_, err := l.CreateAccount(l.ctx, &labv1.CreateAccountRequest{PhoneNumber: number, PushName: "Gateway"})
	must(l.t, err)
}

func (l *lab) scans(number, text string) (*labv1.ScanQrResponse, error) {
	return l.ScanQr(l.ctx, &labv1.ScanQrRequest{PhoneNumber: number, QrText: text})
}

func TestAClientIsLinkedByQRAndUnlinkedOnThePhone(t *testing.T) {
	lab := start(t)
	lab.account(number)
	outside := lab.stranger()
	text := outside.qrText()
	linked, err := lab.scans(number, text)
	must(t, err)
	equal(t, "the device", linked.GetDevice(), 1)
	await[*events.Connected](outside)
	equal(t, "being online", lab.device(number).GetOnline(), true)
	_, err = lab.scans(number, text)
	equal(t, "the code of scanning again", status.Code(err), codes.FailedPrecondition)

	ada := lab.named("Ada")
	ada.says(number, "Hello outside")
	heard := await[*events.Message](outside)
	equal(t, "what the client hears", heard.Message.GetConversation(), "Hello outside")

	_, err = lab.UnlinkDevice(lab.ctx, &labv1.UnlinkDeviceRequest{PhoneNumber: number})
	must(t, err)
	await[*events.LoggedOut](outside)
}

func TestAClientIsLinkedByCode(t *testing.T) {
	lab := start(t)
	lab.account(number)
	enter := func(code string) error {
		_, err := lab.EnterPairingCode(lab.ctx, &labv1.EnterPairingCodeRequest{PhoneNumber: number, Code: code})
		return err
	}
	equal(t, "the code while nobody waits", status.Code(enter("AAAA-AAAA")), codes.FailedPrecondition)
	outside := lab.stranger()
	outside.qrText()
	code, err := outside.PairPhone(lab.ctx, number[1:], true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	must(t, err)
	equal(t, "the code of a wrong one", status.Code(enter("AAAA-AAAA")), codes.FailedPrecondition)
	must(t, enter(code))
	await[*events.Connected](outside)
}

func TestWhatCannotBeLinkedIsRefused(t *testing.T) {
	lab := start(t)
	_, err := lab.scans(number, "anything")
	equal(t, "the code without an account", status.Code(err), codes.NotFound)
	lab.account(number)
	_, err = lab.scans(number, "anything")
	equal(t, "the code of what is no QR", status.Code(err), codes.InvalidArgument)
	_, err = lab.CreateAccount(lab.ctx, &labv1.CreateAccountRequest{PhoneNumber: number})
	equal(t, "the code of making it twice", status.Code(err), codes.AlreadyExists)
	_, err = lab.UnlinkDevice(lab.ctx, &labv1.UnlinkDeviceRequest{PhoneNumber: number, Device: 3})
	equal(t, "the code of a device that is not", status.Code(err), codes.NotFound)
	_, err = lab.UnlinkDevice(lab.ctx, &labv1.UnlinkDeviceRequest{PhoneNumber: number, Device: 300})
	equal(t, "the code of a device that cannot be", status.Code(err), codes.InvalidArgument)
}
