package templates

import "text/template/parse"

// maxInline is how many nodes a definition may have to be put where it is
// called. It bounds what definitions that call each other grow to.
const maxInline = 150

// An inliner puts small definitions where they are called. A call costs as much
// as writing a field, and half of what our templates do is to call each other.
// What is written, and the file and line of an error, stay the same: a node
// knows the file it comes from.
type inliner struct {
	from trees
	done map[string]*parse.ListNode // bodies, or nil for what is called as it was
	busy map[string]bool            // bodies being made: what calls itself is left alone
}

// inlined are copies of the definitions that roots call, and they themselves.
func inlined(from trees, roots ...string) trees {
	in := inliner{from: from, done: map[string]*parse.ListNode{}, busy: map[string]bool{}}
	to := trees{}
	for len(roots) > 0 {
		name := roots[0]
		roots = roots[1:]
		tree := from[name]
		if tree == nil || to[name] != nil {
			continue
		}
		to[name] = tree.Copy()
		in.busy[name] = true
		in.list(to[name].Root)
		delete(in.busy, name)
		roots = append(roots, calls(to[name].Root)...)
	}
	return to
}

// calls are the names of the definitions that are called in a list.
func calls(list *parse.ListNode) (names []string) {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TemplateNode:
			names = append(names, n.Name)
		case *parse.IfNode:
			names = append(append(names, calls(n.List)...), calls(n.ElseList)...)
		case *parse.WithNode:
			names = append(append(names, calls(n.List)...), calls(n.ElseList)...)
		case *parse.RangeNode:
			names = append(append(names, calls(n.List)...), calls(n.ElseList)...)
		}
	}
	return names
}

// list puts definitions into the calls in a list and below it.
func (in *inliner) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	var nodes []parse.Node
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TemplateNode:
			nodes = append(nodes, in.call(n)...)
			continue
		case *parse.IfNode:
			in.list(n.List)
			in.list(n.ElseList)
		case *parse.WithNode:
			in.list(n.List)
			in.list(n.ElseList)
		case *parse.RangeNode:
			in.list(n.List)
			in.list(n.ElseList)
		}
		nodes = append(nodes, node)
	}
	list.Nodes = nodes
}

// call is what stands for a call: the body if it means the same there, which
// is so if it is text only, if its dot is the caller's, or if all it does with
// its dot is to write it once.
func (in *inliner) call(n *parse.TemplateNode) []parse.Node {
	body := in.body(n.Name)
	if body == nil {
		return []parse.Node{n}
	}
	body = body.CopyList()
	dots, only := 0, true
	for _, node := range body.Nodes {
		switch node := node.(type) {
		case *parse.TextNode:
		case *parse.ActionNode:
			if !isDot(node.Pipe) {
				only = false
				continue
			}
			dots++
			if n.Pipe != nil && !isDot(n.Pipe) {
				node.Pipe = n.Pipe.CopyPipe()
			}
		default:
			only = false
		}
	}
	if only && (dots == 0 && (n.Pipe == nil || isPlain(n.Pipe)) || dots == 1 && n.Pipe != nil) || isDot(n.Pipe) {
		return body.Nodes
	}
	return []parse.Node{n}
}

// body is the body of a definition that can stand in another one, or nil.
func (in *inliner) body(name string) *parse.ListNode {
	if body, ok := in.done[name]; ok {
		return body
	}
	tree := in.from[name]
	if tree == nil || in.busy[name] {
		return nil
	}
	in.busy[name] = true
	defer delete(in.busy, name)
	body := tree.Root.CopyList()
	in.list(body)
	if size, ok := measure(body); !ok || size > maxInline {
		body = nil
	}
	in.done[name] = body
	return body
}

// measure counts the nodes of a list. It is not ok if one has a variable, which
// may be $, or leaves a loop: such a body means something else elsewhere.
func measure(list *parse.ListNode) (size int, ok bool) {
	if list == nil {
		return 0, true
	}
	branch := func(b *parse.BranchNode) bool {
		a, okA := measure(b.List)
		c, okC := measure(b.ElseList)
		size += a + c
		return okA && okC && isFree(b.Pipe)
	}
	for _, node := range list.Nodes {
		size++
		ok := true
		switch n := node.(type) {
		case *parse.TextNode, *parse.CommentNode:
		case *parse.ActionNode:
			ok = isFree(n.Pipe)
		case *parse.TemplateNode:
			ok = n.Pipe == nil || isFree(n.Pipe)
		case *parse.IfNode:
			ok = branch(&n.BranchNode)
		case *parse.WithNode:
			ok = branch(&n.BranchNode)
		default: // a range keeps its body to itself
			ok = false
		}
		if !ok {
			return 0, false
		}
	}
	return size, true
}

// isFree reports whether a pipeline has no variables.
func isFree(pipe *parse.PipeNode) bool {
	if len(pipe.Decl) > 0 {
		return false
	}
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			switch n := arg.(type) {
			case *parse.VariableNode:
				return false
			case *parse.PipeNode:
				if !isFree(n) {
					return false
				}
			case *parse.ChainNode:
				inner, ok := n.Node.(*parse.PipeNode)
				if !ok || !isFree(inner) {
					return false
				}
			}
		}
	}
	return true
}

func isDot(pipe *parse.PipeNode) bool {
	return isPlain(pipe) && pipe.Cmds[0].Args[0].Type() == parse.NodeDot
}

// isPlain reports whether a pipeline can neither fail nor do anything, so that
// it need not be evaluated: it is dot or $.
func isPlain(pipe *parse.PipeNode) bool {
	if pipe == nil || len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return false
	}
	switch n := pipe.Cmds[0].Args[0].(type) {
	case *parse.DotNode:
		return true
	case *parse.VariableNode:
		return len(n.Ident) == 1
	}
	return false
}
