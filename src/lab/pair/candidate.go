package pair

import (
	"errors"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waCompanionReg"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/route"
)

// Conn is the connection of a client that wants to be linked.
type Conn interface {
	Send(node waBinary.Node)
	SendLast(node waBinary.Node, grace time.Duration)
	Close()
	Done() <-chan struct{}
}

// Candidate is a connected client that has no account yet.
type Candidate struct {
	desk         *Desk
	conn         Conn
	noise        []byte
	registration *waWa6.ClientPayload_DevicePairingRegistrationData
	shown        time.Time
	refs         []string

	mu      sync.Mutex
	pending *pending  // a link that awaits the client's confirmation
	code    *codeWish // what the client asked to be linked by
}

// pending is a link that was offered to the client.
type pending struct {
	id       string
	account  *model.Account
	number   uint16
	identity *identity
	settled  bool // the client has answered
	outcome  chan error
}

var errMalformedRegistration = errors.New("a registration without proper keys")

func checkRegistration(data *waWa6.ClientPayload_DevicePairingRegistrationData) error {
	if len(data.GetEIdent()) != 32 || len(data.GetESkeyVal()) != 32 || len(data.GetESkeySig()) != 64 ||
		len(data.GetESkeyID()) != 3 || len(data.GetERegid()) != 4 {
		return errMalformedRegistration
	}
	return nil
}

// Take handles a stanza from the client. It is false for one that linking has
// nothing to do with.
func (c *Candidate) Take(node *waBinary.Node) bool {
	if node.Tag != "iq" {
		return node.Tag == "ack" || node.Tag == "ib"
	}
	switch node.AttrGetter().OptionalString("type") {
	case "result":
		c.confirmed(node)
		return true
	case "error":
		c.refused(node)
		return true
	case "set":
		wish, ok := node.GetOptionalChildByTag("link_code_companion_reg")
		return ok && c.takeCodeStage(node, wish)
	}
	return false
}

// offer sends the companion its identity and returns where the outcome appears.
func (c *Candidate) offer(account *model.Account, secret []byte) (*pending, error) {
	number, err := c.desk.world.ReserveNumber(account.Phone)
	if err != nil {
		return nil, err
	}
	now := c.desk.world.Now()
	vouched, err := newIdentity(account.Identity.Pair(), c.registration.GetEIdent(), uint32(number), now)
	if err != nil {
		return nil, err
	}
	container, err := vouched.container(secret)
	if err != nil {
		return nil, err
	}
	offered := &pending{id: route.NewID(), account: account, number: number, identity: vouched, outcome: make(chan error, 1)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending != nil {
		return nil, ErrBusy
	}
	c.pending = offered
	c.conn.Send(pairSuccess(offered, container, now))
	return offered, nil
}

func pairSuccess(offered *pending, container []byte, now time.Time) waBinary.Node {
	return waBinary.Node{
		Tag: "iq",
		Attrs: waBinary.Attrs{
			"from": types.ServerJID, "id": offered.id, "type": "set", "xmlns": "md", "t": now.Unix(),
		},
		Content: []waBinary.Node{{Tag: "pair-success", Content: []waBinary.Node{
			{Tag: "device-identity", Content: container},
			{Tag: "device", Attrs: waBinary.Attrs{
				"jid": offered.jid(types.DefaultUserServer), "lid": offered.jid(types.HiddenUserServer),
			}},
			{Tag: "platform", Attrs: waBinary.Attrs{"name": "android"}},
		}}},
	}
}

func (p *pending) jid(server string) types.JID {
	jid := p.account.In(server)
	jid.Device = p.number
	return jid
}

// atLast gives what became of an offer whose connection has ended.
func (p *pending) atLast() error {
	select {
	case err := <-p.outcome:
		return err
	default:
		return ErrConnectionLost
	}
}

// answered finds the offer that a stanza answers; nil for none. A declined
// offer may be followed by another one, a confirmed one may not.
func (c *Candidate) answered(node *waBinary.Node, declined bool) *pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	offered := c.pending
	if offered == nil || offered.settled || offered.id != node.AttrGetter().OptionalString("id") {
		return nil
	}
	offered.settled = true
	if declined {
		c.pending = nil
	}
	return offered
}

func (c *Candidate) confirmed(node *waBinary.Node) {
	offered := c.answered(node, false)
	if offered == nil {
		return
	}
	answer := node.GetChildByTag("pair-device-sign", "device-identity")
	signed, _ := answer.Content.([]byte)
	if !offered.identity.confirmedBy(signed) {
		offered.outcome <- ErrBadSignature
		c.conn.Close()
		return
	}
	err := c.link(offered)
	offered.outcome <- err // known before the connection may end, and with it whoever waits
	if err == nil {
		c.conn.SendLast(waBinary.Node{Tag: "stream:error", Attrs: waBinary.Attrs{"code": "515"}}, c.desk.times.Grace)
	}
}

func (c *Candidate) link(offered *pending) error {
	err := c.desk.world.Link(offered.account.Phone, &model.Device{
		Number: offered.number, KeyIndex: uint32(offered.number), Platform: c.platform(),
		Noise: c.noise, Identity: c.registration.GetEIdent(), Registration: c.registration.GetERegid(),
		SignedPreKey: model.PreKey{
			ID: c.registration.GetESkeyID(), Public: c.registration.GetESkeyVal(), Signature: c.registration.GetESkeySig(),
		},
		LinkedAt: c.desk.world.Now(),
	})
	if err != nil {
		return err
	}
	c.desk.forget(c)
	c.desk.linked(offered.account, offered.number)
	return nil
}

func (c *Candidate) refused(node *waBinary.Node) {
	offered := c.answered(node, true)
	if offered == nil {
		return
	}
	problem := node.GetChildByTag("error")
	read := problem.AttrGetter()
	offered.outcome <- &Refused{Code: read.OptionalString("code"), Text: read.OptionalString("text")}
}

// platform describes the client as it describes itself.
func (c *Candidate) platform() string {
	var props waCompanionReg.DeviceProps
	if err := proto.Unmarshal(c.registration.GetDeviceProps(), &props); err != nil {
		return "unknown"
	}
	return props.GetPlatformType().String() + " (" + props.GetOs() + ")"
}
