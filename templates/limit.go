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
// calls itself. guard puts a text of no bytes at the beginning of each
// body, so that every turn makes a write, and writes are counted. The text has
// no length, but its capacity holds the place where it stands.
type output struct {
	bytes.Buffer
	writes int
	place  []byte
}

func (o *output) reset() {
	o.Reset()
	o.writes, o.place = 0, nil
}

// Write fails when there was too much of it.
func (o *output) Write(p []byte) (int, error) {
	if len(p) == 0 && cap(p) > 0 {
		o.place = p[:cap(p)]
	}
	switch o.writes++; {
	case o.writes > maxWrites:
		return 0, fmt.Errorf("template: %s: stopped after %d steps: a range or a template that calls itself does not end", o.place, maxWrites)
	case o.Len()+len(p) > maxOutput:
		return 0, fmt.Errorf("template: %s: stopped after %d bytes: a mail is shorter", o.place, maxOutput)
	}
	return o.Buffer.Write(p)
}

// guard puts a mark at the beginning of every body of a tree that can be
// repeated, and returns the tree.
func guard(tree *parse.Tree) *parse.Tree {
	var within func(list *parse.ListNode)
	within = func(list *parse.ListNode) {
		if list == nil {
			return
		}
		for _, node := range list.Nodes {
			switch n := node.(type) {
			case *parse.IfNode:
				within(n.List)
				within(n.ElseList)
			case *parse.WithNode:
				within(n.List)
				within(n.ElseList)
			case *parse.RangeNode:
				within(n.List)
				within(n.ElseList)
				mark(tree, n, n.List)
			}
		}
	}
	within(tree.Root)
	mark(tree, tree.Root, tree.Root)
	return tree
}

func mark(tree *parse.Tree, at parse.Node, body *parse.ListNode) {
	// The line is enough: a column counts bytes, which editors do not show.
	place, _ := tree.ErrorContext(at)
	if i := strings.LastIndexByte(place, ':'); i > 0 {
		place = place[:i]
	}
	text := &parse.TextNode{NodeType: parse.NodeText, Pos: at.Position(), Text: bytes.Clone([]byte(place))[:0:len(place)]}
	body.Nodes = append([]parse.Node{text}, body.Nodes...)
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
		"printf":   func(format string, args ...any) (string, error) { return piece(fmt.Sprintf(format, args...)) },
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
