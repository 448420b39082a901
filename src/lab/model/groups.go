package model

import (
	"cmp"
	"slices"

	"go.mau.fi/whatsmeow/types"
)

// CreateGroup makes a group of an account and others, by their phone numbers.
func (w *World) CreateGroup(
	creator, subject string, others []string, addressing types.AddressingMode, keysOnce bool,
) (Group, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	group := &Group{
		ID: newGroupID(), Subject: subject, Creator: creator, CreatedAt: w.Now(), Addressing: addressing, Version: 1,
		KeysOnce: keysOnce, Keyed: map[string]bool{},
	}
	for _, phone := range append([]string{creator}, others...) {
		if w.byPhone[phone] == nil {
			return Group{}, ErrUnknownAccount
		}
		if !group.Has(phone) {
			group.Members = append(group.Members, phone)
		}
	}
	w.groups[group.ID] = group
	return group.copy(), nil
}

// Group finds a group.
func (w *World) Group(jid types.JID) (Group, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	group := w.groups[jid.User]
	if group == nil || jid.Server != types.GroupServer {
		return Group{}, ErrUnknownGroup
	}
	return group.copy(), nil
}

// Groups lists the groups that an account is in, or all for "", oldest first.
func (w *World) Groups(phone string) []Group {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []Group
	for _, group := range w.groups {
		if phone == "" || group.Has(phone) {
			found = append(found, group.copy())
		}
	}
	slices.SortFunc(found, func(a, b Group) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// Join adds an account to a group. It is false if it was in there.
func (w *World) Join(group Group, phone string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.groups[group.ID]
	if known == nil || known.Has(phone) || w.byPhone[phone] == nil {
		return false
	}
	known.Members = append(known.Members, phone)
	known.Version++
	return true
}

// Leave takes an account out of a group. It is false if it was not in there.
func (w *World) Leave(group Group, phone string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.groups[group.ID]
	return known != nil && known.remove(phone)
}

// NeedsKey tells whether a device is to get a sender's key with a message, and
// notes that it gets it now.
func (w *World) NeedsKey(group Group, from, to Address) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.groups[group.ID]
	if known == nil || !known.KeysOnce {
		return true
	}
	pair := from.String() + " " + to.String()
	needs := !known.Keyed[pair]
	known.Keyed[pair] = true
	return needs
}

func (g *Group) remove(phone string) bool {
	place := slices.Index(g.Members, phone)
	if place < 0 {
		return false
	}
	g.Members = slices.Delete(g.Members, place, place+1)
	g.Version++
	return true
}

func (g *Group) copy() Group {
	copied := *g
	copied.Members, copied.Keyed = slices.Clone(g.Members), nil
	return copied
}
