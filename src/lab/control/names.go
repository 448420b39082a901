package control

import (
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"go.mau.fi/whatsmeow/types"
)

// phoneOf reads an E.164 number with `+` and gives its digits, by which the lab
// knows accounts.
func phoneOf(field, number string) (string, error) {
	digits, led := strings.CutPrefix(number, "+")
	if !led || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", malformed(field, "a phone number in E.164 with +, like +447700900001")
	}
	return digits, nil
}

// peerOf reads an E.164 number with `+`, or `…@lid`.
func peerOf(field, name string) (types.JID, error) {
	if user, ok := strings.CutSuffix(name, "@"+types.HiddenUserServer); ok && user != "" &&
		strings.Trim(user, "0123456789") == "" {
		return types.NewJID(user, types.HiddenUserServer), nil
	}
	digits, err := phoneOf(field, name)
	if err != nil {
		return types.EmptyJID, malformed(field, "a phone number in E.164 with +, or …@lid")
	}
	return types.NewJID(digits, types.DefaultUserServer), nil
}

// phonesOf is phoneOf for many.
func phonesOf(field string, numbers []string) ([]string, error) {
	phones := make([]string, len(numbers))
	for i, number := range numbers {
		var err error
		if phones[i], err = phoneOf(field, number); err != nil {
			return nil, err
		}
	}
	return phones, nil
}

// chatOf reads what peerOf does, or a group, `…@g.us`.
func chatOf(field, name string) (types.JID, error) {
	if group, ok := groupJID(name); ok {
		return group, nil
	}
	peer, err := peerOf(field, name)
	if err != nil {
		return peer, malformed(field, "a phone number in E.164 with +, …@lid, or …@g.us")
	}
	return peer, nil
}

func groupJID(name string) (types.JID, bool) {
	user, ok := strings.CutSuffix(name, "@"+types.GroupServer)
	return types.NewJID(user, types.GroupServer), ok && user != "" && strings.Trim(user, "0123456789-") == ""
}

func malformed(field, wanted string) error {
	return status.Errorf(codes.InvalidArgument, "%s must be %s.", field, wanted)
}

// e164 is a phone number as the contract writes it; empty stays empty.
func e164(digits string) string {
	if digits == "" {
		return ""
	}
	return fmt.Sprintf("+%s", digits)
}
