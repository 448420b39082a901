package person

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
)

// breath is how many texts are encrypted at once; what arrives meanwhile waits.
const breath = 500

// Recite says many texts to somebody without waiting for an answer to each. The
// first goes out as any other; those after it are encrypted in the same way and
// given to post, in order, as the stanzas that they are. It returns their ids.
func (p *Person) Recite(
	ctx context.Context, to types.JID, texts []string, post func([]waBinary.Node) error,
) (ids []string, err error) {
	first, err := p.Say(ctx, Words{To: to, Text: texts[0]})
	if err != nil {
		return nil, err
	}
	ids = append(ids, first.ID)
	part, err := p.rehearse(ctx, to)
	if err != nil {
		return nil, err
	}
	for rest := texts[1:]; len(rest) > 0; rest = rest[min(breath, len(rest)):] {
		nodes, err := part.speak(ctx, rest[:min(breath, len(rest))])
		if err == nil {
			err = post(nodes)
		}
		if err != nil {
			return nil, err
		}
		for _, node := range nodes {
			ids = append(ids, node.AttrGetter().String("id"))
		}
	}
	return ids, nil
}

// part is one side of a chat, whose encryption sessions have begun.
type part struct {
	client  *whatsmeow.Client
	to      types.JID // by LID
	alias   types.JID // the same by phone number
	devices []types.JID
}

func (p *Person) rehearse(ctx context.Context, to types.JID) (*part, error) {
	learnt := &part{client: p.client, to: to, alias: to}
	var err error
	if to.Server == types.HiddenUserServer {
		learnt.alias, err = p.client.Store.LIDs.GetPNForLID(ctx, to)
	} else {
		learnt.to, err = p.client.Store.LIDs.GetLIDForPN(ctx, to)
	}
	if err != nil {
		return nil, err
	}
	own := p.client.Store.GetLID()
	devices, err := p.client.GetUserDevices(ctx, []types.JID{learnt.to, own.ToNonAD()})
	for _, device := range devices {
		if device != own {
			learnt.devices = append(learnt.devices, device)
		}
	}
	return learnt, err
}

// speak encrypts texts one after the other.
func (s *part) speak(ctx context.Context, texts []string) (nodes []waBinary.Node, err error) {
	addresses := make([]string, len(s.devices))
	for i, device := range s.devices {
		addresses[i] = device.SignalAddress().String()
	}
	begun, ctx, err := s.client.Store.WithCachedSessions(ctx, addresses)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.client.Store.PutCachedSessions(ctx)) }()
	for _, text := range texts {
		node, err := s.encrypt(ctx, text, begun)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

func (s *part) encrypt(ctx context.Context, text string, begun map[string]bool) (waBinary.Node, error) {
	id, message := s.client.GenerateMessageID(), &waE2E.Message{Conversation: proto.String(text)}
	plain, err := proto.Marshal(message)
	if err != nil {
		return waBinary.Node{}, err
	}
	ownCopy, err := proto.Marshal(&waE2E.Message{DeviceSentMessage: &waE2E.DeviceSentMessage{
		DestinationJID: proto.String(s.to.String()), Message: message,
	}})
	if err != nil {
		return waBinary.Node{}, err
	}
	if err = s.internals().AddRecentMessage(ctx, s.to, id, message, nil); err != nil {
		return waBinary.Node{}, err
	}
	content, identify := []waBinary.Node{}, false
	for _, device := range s.devices {
		said := plain
		if device.User != s.to.User {
			said = ownCopy
		}
		copied, starts, err := s.internals().EncryptMessageForDeviceAndWrap(ctx, said, device, device, nil, nil, begun)
		if err != nil {
			return waBinary.Node{}, fmt.Errorf("for %s: %w", device, err)
		}
		content, identify = append(content, *copied), identify || starts
	}
	return s.stanza(id, content, identify), nil
}

func (s *part) stanza(id string, copies []waBinary.Node, identify bool) waBinary.Node {
	content := []waBinary.Node{{Tag: "participants", Content: copies}}
	if identify {
		content = append(content, s.internals().MakeDeviceIdentityNode())
	}
	return waBinary.Node{
		Tag:     "message",
		Attrs:   waBinary.Attrs{"id": id, "type": "text", "to": s.to, "peer_recipient_pn": s.alias},
		Content: content,
	}
}

// internals is how the client itself encrypts.
func (s *part) internals() *whatsmeow.DangerousInternalClient {
	//lint:ignore SA1019 nothing else encrypts without sending
	return s.client.DangerousInternals()
}
