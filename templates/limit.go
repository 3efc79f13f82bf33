package templates

import (
	"bytes"
	"fmt"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
)

// How much one subject, letter or page may take. A page of ours is written in
// a few hundred writes, one with the longest description in 13,000.
const (
	maxOutput = 1 << 20 // bytes
	maxWrites = 100_000
	maxPiece  = 1 << 16 // bytes that one call of a function returns
)

// output is where a template writes, and what stops one that does not end.
//
// A template can repeat itself in two ways only, a range and a template that
// calls itself. [marks] puts a text of no bytes at the beginning of each body,
// so that every turn makes a write, and writes are counted. The text has no
// length; its capacity is the number of the mark, and so says where it stands.
type output struct {
	bytes.Buffer
	marks  *marks
	writes int
	mark   int // the last one
	absent int // the one at which a value was written that is not there
}

// noValue is what text/template writes for a value that is not there, in one
// write.
const noValue = "<no value>"

func (o *output) reset(m *marks) {
	o.Reset()
	o.marks, o.writes, o.mark, o.absent = m, 0, 0, 0
}

// Write fails when there was too much of it.
func (o *output) Write(p []byte) (int, error) {
	if len(p) == 0 && cap(p) > 0 {
		o.mark = cap(p)
	}
	if string(p) == noValue {
		o.absent = o.mark
	}
	switch o.writes++; {
	case o.writes > maxWrites:
		return 0, fmt.Errorf("template: %s: stopped after %d steps: a range or a template that calls itself does not end", o.marks.place(o.mark), maxWrites)
	case o.Len()+len(p) > maxOutput:
		return 0, fmt.Errorf("template: %s: stopped after %d bytes: a mail is shorter", o.marks.place(o.mark), maxOutput)
	}
	return o.Buffer.Write(p)
}

// marks are the places in templates that an output is told of.
type marks struct{ nodes []parse.Node }

// maxMarks is how many places are told apart; later ones share the last number.
const maxMarks = 1 << 14

// room lends marks their capacity. Nothing is ever written to it.
var room [maxMarks]byte

// guard puts a mark at the beginning of every body of a tree that can be
// repeated, with exact also before every value, and returns the tree.
func (m *marks) guard(tree *parse.Tree, exact bool) *parse.Tree {
	m.within(tree.Root, exact)
	tree.Root.Nodes = append([]parse.Node{m.at(tree.Root)}, tree.Root.Nodes...)
	return tree
}

func (m *marks) within(list *parse.ListNode, exact bool) {
	if list == nil {
		return
	}
	nodes := make([]parse.Node, 0, 2*len(list.Nodes))
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			if exact {
				nodes = append(nodes, m.at(n))
			}
		case *parse.IfNode:
			m.within(n.List, exact)
			m.within(n.ElseList, exact)
		case *parse.WithNode:
			m.within(n.List, exact)
			m.within(n.ElseList, exact)
		case *parse.RangeNode:
			m.within(n.List, exact)
			m.within(n.ElseList, exact)
			n.List.Nodes = append([]parse.Node{m.at(n)}, n.List.Nodes...)
		}
		nodes = append(nodes, node)
	}
	list.Nodes = nodes
}

// at makes the mark of a node.
func (m *marks) at(n parse.Node) parse.Node {
	if len(m.nodes) < maxMarks {
		m.nodes = append(m.nodes, n)
	}
	return &parse.TextNode{NodeType: parse.NodeText, Pos: n.Position(), Text: room[:0:len(m.nodes)]}
}

// place is file and line of a mark.
func (m *marks) place(mark int) string {
	if mark == 0 || mark > len(m.nodes) {
		return "unknown"
	}
	place, _ := new(parse.Tree).ErrorContext(m.nodes[mark-1]) // the node knows its own tree
	if i := strings.LastIndexByte(place, ':'); i > 0 {
		place = place[:i] // a column counts bytes, which editors do not show
	}
	return place
}

// functions are what a template can call besides and/or/not, comparisons,
// call, index, slice and len. Those of text/template that make text are held to
// a size: one that doubles its argument fills the memory in 40 calls.
func functions() map[string]any {
	return map[string]any{
		"link":     link,
		"mailto":   mailto,
		"brief":    brief,
		"lines":    lines,
		"print":    func(args ...any) (string, error) { return piece(fmt.Sprint(args...)) },
		"println":  func(args ...any) (string, error) { return piece(fmt.Sprintln(args...)) },
		"printf":   printf,
		"html":     func(args ...any) (string, error) { return piece(texttemplate.HTMLEscaper(args...)) },
		"js":       func(args ...any) (string, error) { return piece(texttemplate.JSEscaper(args...)) },
		"urlquery": func(args ...any) (string, error) { return piece(texttemplate.URLQueryEscaper(args...)) },
	}
}

func piece(s string) (string, error) {
	if len(s) > maxPiece {
		return "", fmt.Errorf("a text of %d bytes is more than a mail holds; print less at once, at most %d", len(s), maxPiece)
	}
	return s, nil
}
