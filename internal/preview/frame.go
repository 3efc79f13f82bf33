package preview

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// quiet are the elements that the copy of a mail's HTML is shown without. Scripts and plugins would
// not run anyway; links and frames could open connections that no policy covers; a template can
// become a shadow tree with any of them in it.
var quiet = []atom.Atom{
	atom.Script, atom.Link, atom.Base, atom.Iframe, atom.Frame, atom.Frameset, atom.Object, atom.Embed, atom.Applet, atom.Template,
}

// framed is the HTML of a mail for its frame. An error says why it cannot be shown.
func framed(source string) (string, error) {
	if len(source) > maxHTML {
		return "", fmt.Errorf("the HTML is %s, more than a page can show", size(len(source)))
	}
	root, err := html.ParseWithOptions(strings.NewReader(source), html.ParseOptionEnableScripting(false))
	if err != nil {
		return "", fmt.Errorf("the HTML cannot be read: %w", err)
	}
	var drop []*html.Node
	for n := range root.Descendants() {
		if isLoud(n) {
			drop = append(drop, n)
		}
	}
	for _, n := range drop {
		n.Parent.RemoveChild(n)
	}
	var b strings.Builder
	if err := html.Render(&b, root); err != nil {
		return "", fmt.Errorf("the HTML cannot be shown: %w", err)
	}
	return b.String(), nil
}

func isLoud(n *html.Node) bool {
	switch n.Type {
	case html.CommentNode: // what one reader takes for a comment may be more to another
		return true
	case html.ElementNode:
		return slices.Contains(quiet, n.DataAtom) ||
			n.DataAtom == atom.Meta && slices.ContainsFunc(n.Attr,
				func(a html.Attribute) bool { return a.Key == "http-equiv" })
	}
	return false
}
