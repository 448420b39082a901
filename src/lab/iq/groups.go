package iq

import (
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/route"
)

// groups answers what concerns groups and their members.
func (r *Router) groups() map[string]answer {
	return map[string]answer{
		"set w:g2 create":        r.createGroup,
		"get w:g2 query":         r.groupInfo,
		"get w:g2 participating": r.joinedGroups,
		"set w:g2 add":           r.addMembers,
		"set w:g2 remove":        r.removeMembers,
		"set w:g2 leave":         r.leaveGroups,
	}
}

// createGroup makes a group in which members are named by LID, as all new ones
// are.
func (r *Router) createGroup(query Query) Reply {
	creator, subject := query.Line.Account, query.Child.AttrGetter().OptionalString("subject")
	group, err := r.world.CreateGroup(creator.Phone, subject, r.named(query.Child), types.AddressingModeLID, false)
	if err != nil {
		return refuse(notFound)
	}
	told := content(route.GroupNode(r.world, group))
	told.Then = func() { r.board.TellGroup(group, creator, group.Members) }
	return told
}

// named lists the accounts that a list of participants names; those that do not
// exist are left out.
func (r *Router) named(list waBinary.Node) (phones []string) {
	for _, participant := range list.GetChildrenByTag("participant") {
		if account, err := r.world.Find(participant.AttrGetter().OptionalJIDOrEmpty("jid")); err == nil {
			phones = append(phones, account.Phone)
		}
	}
	return phones
}

func (r *Router) groupInfo(query Query) Reply {
	group, refusal := r.groupOf(query)
	if refusal != nil {
		return refuse(refusal)
	}
	return content(route.GroupNode(r.world, group))
}

// groupOf finds the group that a query is addressed to, if the asking account
// is in there.
func (r *Router) groupOf(query Query) (model.Group, *Refusal) {
	group, err := r.world.Group(query.Node.AttrGetter().OptionalJIDOrEmpty("to"))
	switch {
	case err != nil:
		return group, notFound
	case !group.Has(query.Line.Address.Phone):
		return group, forbidden
	}
	return group, nil
}

func (r *Router) joinedGroups(query Query) Reply {
	var joined []waBinary.Node
	for _, group := range r.world.Groups(query.Line.Address.Phone) {
		joined = append(joined, route.GroupNode(r.world, group))
	}
	return content(waBinary.Node{Tag: "groups", Content: joined})
}

func (r *Router) addMembers(query Query) Reply {
	group, refusal := r.groupOf(query)
	if refusal != nil {
		return refuse(refusal)
	}
	wanted := r.named(query.Child)
	reply := content(waBinary.Node{Tag: "add", Content: route.MemberNodes(r.world, group, wanted)})
	reply.Then = func() { r.board.Admit(group, query.Line.Account, wanted) }
	return reply
}

// removeMembers lets the creator of a group take others out of it.
func (r *Router) removeMembers(query Query) Reply {
	group, refusal := r.groupOf(query)
	if refusal != nil {
		return refuse(refusal)
	}
	if group.Creator != query.Line.Address.Phone {
		return refuse(forbidden)
	}
	unwanted := r.named(query.Child)
	reply := content(waBinary.Node{Tag: "remove", Content: route.MemberNodes(r.world, group, unwanted)})
	reply.Then = func() { r.board.Dismiss(group, query.Line.Account, unwanted) }
	return reply
}

func (r *Router) leaveGroups(query Query) Reply {
	leaver := query.Line.Account
	var left []model.Group
	for _, child := range query.Child.GetChildrenByTag("group") {
		if group, err := r.world.Group(child.AttrGetter().OptionalJIDOrEmpty("id")); err == nil && group.Has(leaver.Phone) {
			left = append(left, group)
		}
	}
	return Reply{Then: func() {
		for _, group := range left {
			r.board.Dismiss(group, leaver, []string{leaver.Phone})
		}
	}}
}
