package route

import (
	"slices"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
)

// GroupNode describes a group as clients are told of it.
func GroupNode(world *model.World, group model.Group) waBinary.Node {
	attrs := waBinary.Attrs{
		"id": group.ID, "subject": group.Subject, "creation": stamp(group.CreatedAt), "s_t": stamp(group.CreatedAt),
		"addressing_mode": string(group.Addressing), "size": len(group.Members), "p_v_id": group.Version,
	}
	if creator, err := world.Account(group.Creator); err == nil {
		attrs["creator"], attrs["s_o"] = creator.In(group.Space()), creator.In(group.Space())
	}
	return waBinary.Node{Tag: "group", Attrs: attrs, Content: MemberNodes(world, group, group.Members)}
}

// MemberNodes name accounts as a group knows them.
func MemberNodes(world *model.World, group model.Group, phones []string) (nodes []waBinary.Node) {
	for _, phone := range phones {
		if account, err := world.Account(phone); err == nil {
			nodes = append(nodes, memberNode(account, group))
		}
	}
	return nodes
}

func memberNode(account *model.Account, group model.Group) waBinary.Node {
	attrs := waBinary.Attrs{"jid": account.In(group.Space())}
	switch other := account.Beside(group.Space()); other.Server {
	case types.DefaultUserServer:
		attrs["phone_number"] = other
	case types.HiddenUserServer:
		attrs["lid"] = other
	}
	if account.Phone == group.Creator {
		attrs["type"] = "superadmin"
	}
	return waBinary.Node{Tag: "participant", Attrs: attrs}
}

// TellGroup tells all devices of some accounts that they are in a group.
func (b *Board) TellGroup(group model.Group, by *model.Account, phones []string) {
	b.tellMembers(group, by, phones, waBinary.Node{
		Tag: "create", Attrs: waBinary.Attrs{"type": "new"}, Content: []waBinary.Node{GroupNode(b.World, group)},
	})
}

// Admit adds accounts to a group: they are told of the group, and the others of
// them. It returns those who were not in there before.
func (b *Board) Admit(group model.Group, by *model.Account, phones []string) (joined []string) {
	joined = only(phones, func(phone string) bool { return b.World.Join(group, phone) })
	now, err := b.World.Group(group.JID())
	if err != nil || len(joined) == 0 {
		return nil
	}
	others := only(now.Members, func(phone string) bool { return !slices.Contains(joined, phone) })
	b.tellMembers(now, by, others, b.change("add", now, joined))
	b.TellGroup(now, by, joined)
	return joined
}

// Dismiss takes accounts out of a group, of which they and all others are told.
// It returns those who were in there before.
func (b *Board) Dismiss(group model.Group, by *model.Account, phones []string) (left []string) {
	left = only(phones, func(phone string) bool { return b.World.Leave(group, phone) })
	now, err := b.World.Group(group.JID())
	if err != nil || len(left) == 0 {
		return nil
	}
	b.tellMembers(now, by, slices.Concat(now.Members, left), b.change("remove", now, left))
	return left
}

func only(phones []string, wanted func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(phones), func(phone string) bool { return !wanted(phone) })
}

// change says who came or went.
func (b *Board) change(what string, group model.Group, phones []string) waBinary.Node {
	return waBinary.Node{
		Tag: what, Attrs: waBinary.Attrs{"v_id": group.Version, "prev_v_id": group.Version - len(phones)},
		Content: MemberNodes(b.World, group, phones),
	}
}

func (b *Board) tellMembers(group model.Group, by *model.Account, phones []string, news waBinary.Node) {
	more := waBinary.Attrs{
		"participant": by.In(group.Space()), "addressing_mode": string(group.Addressing), "notify": b.World.Name(by.Phone),
	}
	addBeside(more, "participant", by, group.Space())
	for _, phone := range phones {
		if account, err := b.World.Account(phone); err == nil {
			b.Announce(account, "w:gp2", group.JID(), more, news)
		}
	}
}
