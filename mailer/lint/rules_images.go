package lint

import (
	"strings"

	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// checkImages is IM11: what cid: in the HTML names is there, and what has a Content-ID for it is shown.
func checkImages(d *document, r *report) {
	byID := map[string][]*mimetree.Part{}
	var named []*mimetree.Part
	for _, p := range d.parts {
		if f, _ := p.Field("Content-ID"); f != nil && p.IsLeaf() && !p.IsCalendar() && !p.IsICS() {
			id := strings.Trim(f.Value, "<> \t")
			byID[id] = append(byID[id], p)
			named = append(named, p)
		}
	}
	shown := map[*mimetree.Part]bool{}
	for _, html := range d.parts {
		if !html.IsBody("text/html") {
			continue
		}
		seen := map[string]bool{}
		for id := range contentIDs(html.Text()) {
			if seen[id] {
				continue
			}
			seen[id] = true
			found := false
			for _, p := range byID[id] {
				if shareRelated(html, p) {
					found = true
					shown[p] = true
				}
			}
			if !found {
				r.error(place{part: html}, "cid:%s names no part of the same multipart/related", quoteName(id))
			}
		}
	}
	for _, p := range named {
		if !shown[p] && !p.IsBody("text/html") && !p.IsBody("text/plain") {
			r.add(place{part: p}, "no HTML shows this %s, which has a Content-ID", quote(p.Media.Kind))
		}
	}
}

// shareRelated reports whether some multipart/related holds both.
func shareRelated(a, b *mimetree.Part) bool {
	for q := a.Parent; q != nil; q = q.Parent {
		if q.Media.Kind == "multipart/related" && q.Has(b) {
			return true
		}
	}
	return false
}

// contentIDs yields what follows cid: in the attributes of the HTML.
func contentIDs(html string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for rest := html; ; {
			i := indexFold(rest, "cid:")
			if i < 0 {
				return
			}
			before := byte(0)
			if i > 0 {
				before = rest[i-1]
			}
			rest = rest[i+len("cid:"):]
			if before != '"' && before != '\'' && before != '=' && before != '(' {
				continue
			}
			end := strings.IndexAny(rest, "\"'>) \t\r\n")
			if end < 0 {
				end = len(rest)
			}
			if end > 0 && !yield(rest[:end]) {
				return
			}
		}
	}
}
