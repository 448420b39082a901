package convert

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// cleanse replaces bytes that are no UTF-8 in every text of a message. Strangers choose them, WhatsApp does not look, and
// one such text would keep the whole message from travelling on.
func cleanse(message proto.Message) { cleanseFields(message.ProtoReflect()) }

func cleanseFields(message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsList() && field.Kind() == protoreflect.StringKind:
			for i := range value.List().Len() {
				value.List().Set(i, clean(value.List().Get(i)))
			}
		case field.IsList() || field.IsMap():
			return true
		case field.Kind() == protoreflect.StringKind:
			message.Set(field, clean(value))
		case field.Kind() == protoreflect.MessageKind:
			cleanseFields(value.Message())
		}
		return true
	})
}

func clean(text protoreflect.Value) protoreflect.Value {
	return protoreflect.ValueOfString(strings.ToValidUTF8(text.String(), "\uFFFD"))
}
