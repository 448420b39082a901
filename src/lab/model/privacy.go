package model

import (
	"maps"
	"slices"
)

// defaultPrivacy is what a new account starts with.
var defaultPrivacy = map[string]string{
	"readreceipts": "all", "profile": "all", "status": "all", "online": "all", "last": "all",
	"groupadd": "all", "calladd": "all", "messages": "all", "defense": "off", "stickers": "all",
}

// Setting is one privacy setting.
type Setting struct{ Name, Value string }

// Privacy lists an account's privacy settings in order of their names.
func (w *World) Privacy(phone string) (settings []Setting) {
	w.change(phone, func(account *Account) {
		merged := maps.Clone(defaultPrivacy)
		maps.Copy(merged, account.Privacy)
		for _, name := range slices.Sorted(maps.Keys(merged)) {
			settings = append(settings, Setting{Name: name, Value: merged[name]})
		}
	})
	return settings
}

// SetPrivacy changes one privacy setting.
func (w *World) SetPrivacy(phone string, setting Setting) {
	w.change(phone, func(account *Account) {
		if account.Privacy == nil {
			account.Privacy = map[string]string{}
		}
		account.Privacy[setting.Name] = setting.Value
	})
}

// SetBlocked blocks or unblocks another account for phone.
func (w *World) SetBlocked(phone, other string, blocked bool) {
	w.change(phone, func(account *Account) {
		if account.Blocked == nil {
			account.Blocked = map[string]bool{}
		}
		if blocked {
			account.Blocked[other] = true
		} else {
			delete(account.Blocked, other)
		}
	})
}

// Blocklist lists the accounts that phone has blocked, by their numbers.
func (w *World) Blocklist(phone string) (blocked []string) {
	w.change(phone, func(account *Account) { blocked = sortedKeys(account.Blocked) })
	return blocked
}

// Blocks tells whether phone has blocked other.
func (w *World) Blocks(phone, other string) (blocked bool) {
	w.change(phone, func(account *Account) { blocked = account.Blocked[other] })
	return blocked
}

func sortedKeys(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
