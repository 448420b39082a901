package convert

import (
	"slices"
	"unicode/utf8"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	enginev1 "wagate.dev/gen/go/wagate/engine/v1"
	wagatev1 "wagate.dev/gen/go/wagate/v1"
)

// maxPreview is how many characters of a quote are told.
const maxPreview = 1024

// textIn tells text that a person said to another one or in a group; nil for anything else.
func textIn(event *events.Message) *enginev1.MessageArrived {
	extended := event.Message.GetExtendedTextMessage()
	words := event.Message.GetConversation() + extended.GetText()
	if words == "" || !utf8.ValidString(words) || !isPlainSpeech(event) {
		return nil
	}
	arrived := &enginev1.MessageArrived{Content: &wagatev1.Content{Body: &wagatev1.Content_Text{
		Text: &wagatev1.Text{Text: words, LinkPreview: extended.GetMatchedText() != ""},
	}}}
	addContext(arrived, extended.GetContextInfo())
	return arrived
}

// isPlainSpeech says whether the message stands for itself in a chat of two or in a group.
func isPlainSpeech(event *events.Message) bool {
	fields := said(event.Message)
	return len(fields) == 1 && event.Info.Edit == types.EditAttributeEmpty && isConversation(event.Info.Chat) &&
		!event.IsViewOnce && !event.IsEdit && !event.IsBotInvoke
}

// isConversation says whether people talk to each other in a chat: stories and channels are told, and bots are no people.
func isConversation(chat types.JID) bool {
	return chat.Server == types.GroupServer || IsPerson(chat) && !chat.IsBot()
}

func addContext(arrived *enginev1.MessageArrived, context *waE2E.ContextInfo) {
	arrived.MentionJids = slices.Clone(context.GetMentionedJID())
	if context.GetStanzaID() == "" {
		return
	}
	arrived.QuotedProviderMessageId = context.GetStanzaID()
	arrived.QuotedAuthorJid = context.GetParticipant()
	arrived.QuotedPreview = firstCharacters(Words(context.GetQuotedMessage()), maxPreview)
}

// Words are what a message says in letters, of whatever kind it is: its text or its caption. Empty if it has none.
func Words(message *waE2E.Message) string {
	for _, words := range []string{
		message.GetConversation(),
		message.GetExtendedTextMessage().GetText(),
		message.GetImageMessage().GetCaption(),
		message.GetVideoMessage().GetCaption(),
		message.GetDocumentMessage().GetCaption(),
	} {
		if words != "" {
			return words
		}
	}
	return ""
}

func firstCharacters(text string, count int) string {
	for i := range text {
		if count == 0 {
			return text[:i]
		}
		count--
	}
	return text
}
