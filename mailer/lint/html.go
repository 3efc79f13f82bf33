package lint

import (
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
	for z := html.NewTokenizer(strings.NewReader(s)); z.Next() != html.ErrorToken; {
		switch token := z.Token(); token.Type {
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
			p.tags = append(p.tags, tagsIn(token.Data)...)
		}
	}
	p.text = text.String()
	return p
}

// tagsIn returns the opening tags of an HTML text.
func tagsIn(s string) []html.Token {
	var tags []html.Token
	for z := html.NewTokenizer(strings.NewReader(s)); z.Next() != html.ErrorToken; {
		if token := z.Token(); token.Type == html.StartTagToken || token.Type == html.SelfClosingTagToken {
			tags = append(tags, token)
		}
	}
	return tags
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
