package pair

import (
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/route"
)

// codeWish is a client's wish to be linked by code.
type codeWish struct {
	phone   string
	ref     string
	wrapped []byte // the companion's key, encrypted with the code
	attempt *attempt
}

func (c *Candidate) awaitsCode(phone string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code != nil && c.code.phone == phone
}

// takeCodeStage handles one of the two requests that linking by code consists
// of on the client's side.
func (c *Candidate) takeCodeStage(node *waBinary.Node, stage waBinary.Node) bool {
	switch read := stage.AttrGetter(); read.OptionalString("stage") {
	case "companion_hello":
		wrapped, _ := stage.GetChildByTag("link_code_pairing_wrapped_companion_ephemeral_pub").Content.([]byte)
		wish := &codeWish{phone: read.OptionalJIDOrEmpty("jid").User, ref: newRef(), wrapped: wrapped}
		c.mu.Lock()
		c.code = wish
		c.mu.Unlock()
		c.conn.Send(result(node, waBinary.Node{
			Tag:     "link_code_companion_reg",
			Attrs:   waBinary.Attrs{"stage": "companion_hello"},
			Content: []waBinary.Node{{Tag: "link_code_pairing_ref", Content: []byte(wish.ref)}},
		}))
		return true
	case "companion_finish":
		c.conn.Send(result(node))
		bundle, _ := stage.GetChildByTag("link_code_pairing_wrapped_key_bundle").Content.([]byte)
		c.finishAttempt(bundle)
		return true
	}
	return false
}

func (c *Candidate) finishAttempt(bundle []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code == nil || c.code.attempt == nil {
		return
	}
	c.code.attempt.bundle = bundle
	close(c.code.attempt.finished)
	c.code.attempt = nil
}

// try enters a code: the phone's half of the key exchange goes to the client.
func (c *Candidate) try(code string, account *model.Account) (*attempt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tried, err := newAttempt(code, c.code.wrapped)
	if err != nil {
		return nil, err
	}
	c.code.attempt = tried
	c.conn.Send(waBinary.Node{
		Tag: "notification",
		Attrs: waBinary.Attrs{
			"from": types.ServerJID, "id": route.NewID(), "type": "link_code_companion_reg", "t": c.desk.world.Now().Unix(),
		},
		Content: []waBinary.Node{{
			Tag:   "link_code_companion_reg",
			Attrs: waBinary.Attrs{"stage": "primary_hello"},
			Content: []waBinary.Node{
				{Tag: "link_code_pairing_ref", Content: []byte(c.code.ref)},
				{Tag: "link_code_pairing_wrapped_primary_ephemeral_pub", Content: tried.wrapped},
				{Tag: "primary_identity_pub", Content: account.Identity.Public()},
			},
		}},
	})
	return tried, nil
}

func result(request *waBinary.Node, content ...waBinary.Node) waBinary.Node {
	reply := waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{
		"from": types.ServerJID, "id": request.Attrs["id"], "type": "result",
	}}
	if len(content) > 0 {
		reply.Content = content
	}
	return reply
}
