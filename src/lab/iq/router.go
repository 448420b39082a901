// Package iq answers info queries, one file per namespace. What nobody here
// knows is answered with 501 and counted.
package iq

import (
	"maps"
	"strings"
	"sync"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"wagate.dev/src/lab/model"
	"wagate.dev/src/lab/route"
)

// Query is one info query from a logged-in device.
type Query struct {
	Line  *route.Line
	Node  *waBinary.Node
	Child waBinary.Node // the first child; empty when there is none
}

// Reply is what a query is answered with: contents, or a refusal.
type Reply struct {
	Content []waBinary.Node
	Refusal *Refusal
	Then    func() // runs after the reply was put in line; may be nil
}

// Refusal is an error as the protocol tells it.
type Refusal struct {
	Code int
	Text string
}

var (
	notImplemented = &Refusal{Code: 501, Text: "feature-not-implemented"}
	notFound       = &Refusal{Code: 404, Text: "item-not-found"}
	badRequest     = &Refusal{Code: 400, Text: "bad-request"}
	forbidden      = &Refusal{Code: 403, Text: "forbidden"}
)

type answer func(Query) Reply

// Router answers queries and counts those it cannot.
type Router struct {
	world      *model.World
	board      *route.Board
	unlink     func(account *model.Account, number uint16)
	answers    map[string]answer
	mexAnswers map[string]func(phone string) []byte

	mu         sync.Mutex
	unanswered map[string]int
}

// NewRouter makes a router. unlink is called for a device that logs itself, or
// another of its account, out.
func NewRouter(board *route.Board, unlink func(*model.Account, uint16)) *Router {
	router := &Router{world: board.World, board: board, unlink: unlink, unanswered: map[string]int{}}
	router.answers, router.mexAnswers = map[string]answer{}, map[string]func(string) []byte{}
	for _, namespace := range []map[string]answer{
		router.session(), router.encrypt(), router.usync(), router.privacy(),
		router.media(), router.appState(), router.profile(), router.groups(),
		router.mex(),
	} {
		maps.Copy(router.answers, namespace)
	}
	return router
}

// Answer replies to a query.
func (r *Router) Answer(line *route.Line, node *waBinary.Node) {
	query := Query{Line: line, Node: node}
	if children := node.GetChildren(); len(children) > 0 {
		query.Child = children[0]
	}
	known, ok := r.answers[name(node)]
	if !ok {
		r.Unknown(node)
		line.Send(Error(node, notImplemented))
		return
	}
	reply := known(query)
	if reply.Refusal != nil {
		line.Send(Error(node, reply.Refusal))
	} else {
		line.Send(Result(node, reply.Content...))
	}
	if reply.Then != nil {
		reply.Then()
	}
}

// name is how a query is found in the table: type, namespace and first child,
// like "get encrypt count".
func name(node *waBinary.Node) string {
	read := node.AttrGetter()
	words := []string{read.OptionalString("type"), read.OptionalString("xmlns")}
	if children := node.GetChildren(); len(children) > 0 {
		words = append(words, children[0].Tag)
	}
	return strings.Join(words, " ")
}

// subject is how an unknown query is reported: its namespace and first child,
// like "w:mex/query".
func subject(node *waBinary.Node) string {
	_, words, _ := strings.Cut(name(node), " ")
	return strings.ReplaceAll(words, " ", "/")
}

// Unknown counts a query that nobody answers.
func (r *Router) Unknown(node *waBinary.Node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unanswered[subject(node)]++
}

// Unanswered tells how often each unknown query was asked, like "w:mex/query".
func (r *Router) Unanswered() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.unanswered)
}

// Result is the positive reply to a query.
func Result(query *waBinary.Node, content ...waBinary.Node) waBinary.Node {
	reply := waBinary.Node{Tag: "iq", Attrs: replyAttrs(query, "result")}
	if len(content) > 0 {
		reply.Content = content
	}
	return reply
}

// Error is the negative reply to a query.
func Error(query *waBinary.Node, refusal *Refusal) waBinary.Node {
	return waBinary.Node{
		Tag:   "iq",
		Attrs: replyAttrs(query, "error"),
		Content: []waBinary.Node{{
			Tag: "error", Attrs: waBinary.Attrs{"code": refusal.Code, "text": refusal.Text},
		}},
	}
}

// NotImplemented is the reply to a query that nobody knows.
func NotImplemented(query *waBinary.Node) waBinary.Node { return Error(query, notImplemented) }

func replyAttrs(query *waBinary.Node, kind string) waBinary.Attrs {
	from := query.Attrs["to"]
	if from == nil {
		from = types.ServerJID
	}
	return waBinary.Attrs{"from": from, "id": query.Attrs["id"], "type": kind}
}

func content(nodes ...waBinary.Node) Reply { return Reply{Content: nodes} }

func refuse(refusal *Refusal) Reply { return Reply{Refusal: refusal} }

func empty(Query) Reply { return Reply{} }

// bytesOf reads a child's content, which the codec may have turned into text.
func bytesOf(node waBinary.Node) []byte {
	switch held := node.Content.(type) {
	case []byte:
		return held
	case string:
		return []byte(held)
	}
	return nil
}
