package pair

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// scanned is what a QR code says.
type scanned struct {
	ref                     string
	noise, identity, secret []byte
}

// parseQR reads the text of a QR code, with or without the address before '#'.
func parseQR(text string) (*scanned, error) {
	if _, after, found := strings.Cut(text, "#"); found {
		text = after
	}
	parts := strings.Split(text, ",")
	if len(parts) < 4 {
		return nil, ErrMalformedQR
	}
	code := &scanned{ref: parts[0]}
	for i, into := range []*[]byte{&code.noise, &code.identity, &code.secret} {
		raw, err := base64.StdEncoding.DecodeString(parts[i+1])
		if err != nil || len(raw) != 32 {
			return nil, ErrMalformedQR
		}
		*into = raw
	}
	return code, nil
}

// Scan links the client that shows a QR code to an account. It returns the new
// device's JID once the client confirmed, or one of this package's errors.
func (d *Desk) Scan(ctx context.Context, phone, text string) (types.JID, error) {
	account, err := d.world.Account(phone)
	if err != nil {
		return types.EmptyJID, err
	}
	code, err := parseQR(text)
	if err != nil {
		return types.EmptyJID, err
	}
	candidate := d.find(func(c *Candidate) bool { return c.shows(code.ref) })
	if candidate == nil {
		return types.EmptyJID, ErrUnknownRef
	}
	if !slices.Equal(code.noise, candidate.noise) || !slices.Equal(code.identity, candidate.registration.GetEIdent()) {
		return types.EmptyJID, ErrForeignKeys
	}
	return candidate.linkTo(ctx, account, code.secret)
}

// shows tells whether the client may still show that ref.
func (c *Candidate) shows(ref string) bool {
	place := slices.Index(c.refs, ref)
	return place >= 0 && time.Since(c.shown) < c.desk.times.until(place)
}
