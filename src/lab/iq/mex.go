package iq

import waBinary "go.mau.fi/whatsmeow/binary"

// mex answers queries that are JSON. Each has a number instead of a name.
func (r *Router) mex() map[string]answer {
	return map[string]answer{"get w:mex query": r.answerMex}
}

// AnswerMex lets queries with a number be answered with JSON, by the number of
// the account that asks. It is called before the first query comes.
func (r *Router) AnswerMex(number string, answer func(phone string) []byte) {
	r.mexAnswers[number] = answer
}

func (r *Router) answerMex(query Query) Reply {
	number, _ := query.Child.Attrs["query_id"].(string)
	answer := r.mexAnswers[number]
	if answer == nil {
		r.Unknown(query.Node)
		return refuse(notImplemented)
	}
	return content(waBinary.Node{Tag: "result", Content: answer(query.Line.Address.Phone)})
}
