package lint

import (
	"iter"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// page is what the rules ask of an HTML text.
type page struct {
	text string       // what a reader sees
	tags []html.Token // the opening tags
}

// hidden are the elements whose content no reader sees.
var hidden = []string{"style", "script", "title"}

// readHTML reads an HTML text as far as that goes without building a tree of it.
func readHTML(s string) page {
	var p page
	var text strings.Builder
	shown := true
	for token := range tokens(s) {
		switch token.Type {
		case html.TextToken:
			if shown {
				text.WriteString(token.Data)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			p.tags = append(p.tags, token)
			shown = !slices.Contains(hidden, token.Data)
			text.WriteByte(' ')
		case html.EndTagToken:
			shown = true
			text.WriteByte(' ')
		case html.CommentToken: // Outlook reads what is in a conditional one.
			for inner := range tokens(token.Data) {
				if inner.Type == html.StartTagToken || inner.Type == html.SelfClosingTagToken {
					p.tags = append(p.tags, inner)
				}
			}
		}
	}
	p.text = text.String()
	return p
}

func tokens(s string) iter.Seq[html.Token] {
	return func(yield func(html.Token) bool) {
		z := html.NewTokenizer(strings.NewReader(s))
		for z.Next() != html.ErrorToken {
			if !yield(z.Token()) {
				return
			}
		}
	}
}

// links yields the values of href.
func (p page) links(yield func(string) bool) {
	for _, tag := range p.tags {
		for _, a := range tag.Attr {
			if a.Key == "href" && !yield(a.Val) {
				return
			}
		}
	}
}

// squeeze leaves out white space, controls and what is invisible, so that texts that are laid out
// differently can be compared.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}
