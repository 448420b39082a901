package model

// Chat notes that one account has written to another: both have a chat now.
func (w *World) Chat(from, to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, pair := range [][2]string{{from, to}, {to, from}} {
		account := w.byPhone[pair[0]]
		if account == nil {
			continue
		}
		if account.Chats == nil {
			account.Chats = map[string]bool{}
		}
		account.Chats[pair[1]] = true
	}
}

// Chatted tells whether either account has written to the other. Nobody is a
// stranger to themselves.
func (w *World) Chatted(phone, other string) (chatted bool) {
	w.change(phone, func(account *Account) { chatted = phone == other || account.Chats[other] })
	return chatted
}
