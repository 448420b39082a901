package control

import (
	"context"

	"go.mau.fi/whatsmeow/types"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
	"wagate.dev/src/lab/model"
)

var addressings = map[labv1.Group_Addressing]types.AddressingMode{
	labv1.Group_ADDRESSING_UNSPECIFIED: types.AddressingModeLID,
	labv1.Group_ADDRESSING_PHONE:       types.AddressingModePN,
}

// CreateGroup implements the contract.
func (c *Control) CreateGroup(
	_ context.Context, request *labv1.CreateGroupRequest,
) (*labv1.CreateGroupResponse, error) {
	creator, err := phoneOf("creator", request.GetCreator())
	if err != nil {
		return nil, err
	}
	others, err := phonesOf("members", request.GetMembers())
	if err != nil {
		return nil, err
	}
	addressing, ok := addressings[request.GetAddressing()]
	if !ok {
		return nil, malformed("addressing", "one of the values of Addressing")
	}
	group, err := c.world.Server.CreateGroup(creator, request.GetSubject(), others, addressing, request.GetKeysOnce())
	if err != nil {
		return nil, told(err)
	}
	return &labv1.CreateGroupResponse{Group: groupOf(group)}, nil
}

// ChangeGroupMembers implements the contract.
func (c *Control) ChangeGroupMembers(
	_ context.Context, request *labv1.ChangeGroupMembersRequest,
) (*labv1.ChangeGroupMembersResponse, error) {
	jid, ok := groupJID(request.GetGroupJid())
	if !ok {
		return nil, malformed("group_jid", "a group, …@g.us")
	}
	join, err := phonesOf("join", request.GetJoin())
	if err != nil {
		return nil, err
	}
	leave, err := phonesOf("leave", request.GetLeave())
	if err != nil {
		return nil, err
	}
	group, err := c.world.Server.ChangeMembers(jid, join, leave)
	if err != nil {
		return nil, told(err)
	}
	return &labv1.ChangeGroupMembersResponse{Group: groupOf(group)}, nil
}

// ListGroups implements the contract.
func (c *Control) ListGroups(context.Context, *labv1.ListGroupsRequest) (*labv1.ListGroupsResponse, error) {
	response := &labv1.ListGroupsResponse{}
	for _, group := range c.world.Server.Groups() {
		response.Groups = append(response.Groups, groupOf(group))
	}
	return response, nil
}

// memberOf reads which group is meant, and names a member as the group does.
func (c *Control) memberOf(groupName string, member types.JID) (group, named types.JID, err error) {
	group, ok := groupJID(groupName)
	if !ok {
		return group, member, malformed("group_jid", "a group, …@g.us")
	}
	known, err := c.world.Server.Group(group)
	if err != nil {
		return group, member, told(err)
	}
	account, err := c.world.Server.Find(member)
	if err != nil {
		return group, member, told(err)
	}
	return group, account.In(known.Space()), nil
}

func groupOf(group model.Group) *labv1.Group {
	described := &labv1.Group{
		Jid: group.JID().String(), Subject: group.Subject, Creator: e164(group.Creator), KeysOnce: group.KeysOnce,
	}
	if group.Addressing == types.AddressingModePN {
		described.Addressing = labv1.Group_ADDRESSING_PHONE
	}
	for _, phone := range group.Members {
		described.Members = append(described.Members, e164(phone))
	}
	return described
}
