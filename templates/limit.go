package templates

import (
	"fmt"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
)

// How much one subject, letter or page may take. A built-in page takes 13,000 steps at most.
const (
	maxOutput = 1 << 20 // bytes
	maxSteps  = 100_000 // writes, and turns of a body that can be repeated
	maxPiece  = 1 << 16 // bytes that one call of a function returns
)

// output is what a template writes. A template can repeat itself in two ways, a range and a template
// that calls itself: [limited] puts a call of step into each, which stops one that does not end.
type output struct {
	strings.Builder
	steps int
}

// A fault is what is wrong with a template that runs; text/template adds where.
type fault string

func (f fault) Error() string { return string(f) }

// Write takes no more once there is too much; the next step tells.
func (o *output) Write(p []byte) (int, error) {
	o.steps++
	if o.Len() <= maxOutput {
		o.Builder.Write(p)
	}
	return len(p), nil
}

// step counts, and fails when there was too much of it.
func (o *output) step() (string, error) {
	o.steps++
	switch {
	case o.steps > maxSteps:
		return "", fault(fmt.Sprintf("stopped after %d steps: a range or a template that calls itself does not end",
			maxSteps))
	case o.Len() > maxOutput:
		return "", fault(fmt.Sprintf("stopped after %d bytes: a mail is shorter", maxOutput))
	}
	return "", nil
}

// present returns v, and fails for a value that is null or not there:
// text/template would write "<no value>".
func present(v any) (any, error) {
	if v == nil {
		return nil, fault("a value is written that is null or not there; ask for it in {{with}}")
	}
	return v, nil
}

// limited returns a copy of a tree in which each body that can be repeated
// begins with a call of step, and each definition also ends with one. In plain
// text, values that are written are passed through present, too.
func limited(tree *parse.Tree, plain bool) *parse.Tree {
	tree = tree.Copy()
	call := func(function string, at parse.Pos) *parse.CommandNode {
		name := parse.NewIdentifier(function).SetTree(tree).SetPos(at)
		return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: at, Args: []parse.Node{name}}
	}
	// {{$ := step}} writes nothing, and html/template leaves it alone. The variable has a name that
	// no template can use.
	step := func(at parse.Pos) parse.Node {
		variable := &parse.VariableNode{NodeType: parse.NodeVariable, Pos: at, Ident: []string{"$ step"}}
		return &parse.ActionNode{NodeType: parse.NodeAction, Pos: at, Pipe: &parse.PipeNode{
			NodeType: parse.NodePipe, Pos: at,
			Decl: []*parse.VariableNode{variable},
			Cmds: []*parse.CommandNode{call("step", at)},
		}}
	}
	var within func(list *parse.ListNode)
	within = func(list *parse.ListNode) {
		if list == nil {
			return
		}
		for _, node := range list.Nodes {
			switch n := node.(type) {
			case *parse.ActionNode:
				if plain && len(n.Pipe.Decl) == 0 {
					n.Pipe.Cmds = append(n.Pipe.Cmds, call("present", n.Pos))
				}
			case *parse.IfNode:
				within(n.List)
				within(n.ElseList)
			case *parse.WithNode:
				within(n.List)
				within(n.ElseList)
			case *parse.RangeNode:
				within(n.List)
				within(n.ElseList)
				n.List.Nodes = append([]parse.Node{step(n.Pos)}, n.List.Nodes...)
			}
		}
	}
	within(tree.Root)
	at := tree.Root.Pos
	tree.Root.Nodes = append(append([]parse.Node{step(at)}, tree.Root.Nodes...), step(at))
	return tree
}

// functions are what a template can call besides and/or/not, comparisons, call, index, slice and len.
// Those of text/template that make text are held to a size: one that doubles its argument fills the
// memory in 40 calls.
func functions() map[string]any {
	held := func(write func(args ...any) string) func(args ...any) (string, error) {
		return func(args ...any) (string, error) { return piece(write(args...)) }
	}
	return map[string]any{
		"link":     link,
		"mailto":   mailto,
		"brief":    func(s string) string { return shorten(s, maxChange) }, // a long link as a page shows it
		"lines":    func(s string) []string { return strings.Split(s, "\n") },
		"print":    held(fmt.Sprint),
		"println":  held(fmt.Sprintln),
		"printf":   printf,
		"html":     held(texttemplate.HTMLEscaper),
		"js":       held(texttemplate.JSEscaper),
		"urlquery": held(texttemplate.URLQueryEscaper),
	}
}

func piece(s string) (string, error) {
	if len(s) > maxPiece {
		return "", fmt.Errorf("a text of %d bytes is more than a mail holds; print less at once, at most %d", len(s),
			maxPiece)
	}
	return s, nil
}
