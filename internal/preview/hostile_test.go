package preview_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/invitemailer/invitemailer/internal/preview"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// evil are texts that mean to be more than text.
var evil = []string{
	`<script>alert(1)</script>`,
	`</iframe><script>alert(1)</script>`,
	`"></iframe><img src=x onerror=alert(1)>`,
	`</template></details></main></body></html><script>alert(1)</script>`,
	`</pre></textarea></title></style></noscript><script>alert(1)</script>`,
	`<!--<script>alert(1)//--><!-- --!><script>alert(1)</script>`,
	`&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;&#x3c;script&#62;`,
	`<svg><style><a title="</style><script>alert(1)</script>">`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<meta http-equiv=refresh content="0;url=https://evil.example/"><link rel=preconnect href=https://evil.example>` +
		`<base href=https://evil.example/>`,
	`<iframe srcdoc="<link rel=dns-prefetch href=https://evil.example>"></iframe><object data=https://evil.example>` +
		`</object>`,
	`<template shadowrootmode=open><link rel=preconnect href=https://evil.example></template>`,
	`<form action=https://evil.example><input name=q></form><a href="javascript:alert(1)" ping=https://evil.example>` +
		`go</a>`,
	"NUL \x00<\x00script>alert(1)</script>",
	"\u202Edlrow olleh\u202C \u2066\u200F",
	"\xff\xfe not UTF-8 \xc3",
	`javascript:alert(1)`,
	`{{.}} {{template "head"}} ${alert(1)}`,
}

// hostile is a mail that says it in every place there is.
func hostile(text string) preview.Mail {
	escaped := strings.NewReplacer("\\", "\\\\", ";", "\\;", ",", "\\,").Replace(text)
	raw := "From: " + text + " <a@example.org>\r\nTo: " + text + "\r\nSubject: " + text + "\r\nDate: " + text +
		"\r\nX-" + "Evil: " + text + "\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain; name=\"" + text + "\"\r\n\r\n" + text + "\r\n" +
		"--b\r\nContent-Type: text/html\r\nContent-Disposition: inline; filename=\"" + text +
		"\"\r\n\r\n<p>before</p>" + text + "<p>after</p>\r\n" +
		"--b\r\nContent-Type: text/calendar; " +
		"method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:" + escaped +
		"\r\nSUMMARY:" + escaped + "\r\nDTSTART:20270429T093000Z\r\nDESCRIPTION:" + escaped + "\r\nLOCATION:" +
		escaped +
		"\r\nATTENDEE;RSVP=TRUE:mailto:" + escaped + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n" +
		"--b\r\nContent-Type: " + text + "\r\nContent-Transfer-Encoding: " + text + "\r\n\r\n" + text + "\r\n--b--\r\n"
	return preview.Mail{
		Name: text, Raw: []byte(raw), InviteID: text, Kind: text, Outcome: text, ReaderTZID: text,
		Findings: []lint.Finding{{Rule: text, Level: lint.Level(text), Where: text, What: text, Why: text,
			Source: text, Fix: text}},
	}
}

// holds asserts what no mail may change about a page that shows one between two others.
func holds(t *testing.T, root *html.Node) {
	t.Helper()
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "link", "base", "object", "embed", "img", "form", "template", "noscript",
			"textarea", "frame", "math":
			require.Fail(t, "the page has an element that is not its own", "%s", n.Data)
		case "iframe":
			sandbox := false
			for _, a := range n.Attr {
				require.NotEqual(t, "src", a.Key)
				if a.Key == "sandbox" {
					require.Empty(t, a.Val, "a permission for the frame")
					sandbox = true
				}
			}
			require.True(t, sandbox, "the frame is sandboxed")
			quiet(t, attr(n, "srcdoc"))
		case "a":
			href := attr(n, "href")
			require.True(t, strings.HasPrefix(href, "#") || strings.HasPrefix(href, "./") ||
				strings.HasPrefix(href, "http"), "%q", href)
		}
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on"), "a handler: %s=%q", a.Key, a.Val)
		}
	}
	policies := 0
	for _, m := range all(root, "meta", "") {
		if attr(m, "http-equiv") != "" {
			policies++
			assert.Contains(t, attr(m, "content"), "default-src 'none'")
			assert.NotContains(t, attr(m, "content"), "script-src")
		}
	}
	assert.Equal(t, 1, policies, "one policy, and no other instruction")
	mails := all(root, "details", "mail")
	require.Len(t, mails, 3)
	for _, m := range mails {
		assert.Equal(t, "main", m.Parent.Data, "no mail is in another or outside")
	}
	require.Len(t, all(root, "footer", ""), 1)
	assert.Equal(t, "body", all(root, "footer", "")[0].Parent.Data)
}

// quiet asserts that what a frame shows opens no connection and holds no frame of its own.
func quiet(t *testing.T, source string) {
	t.Helper()
	root, err := html.ParseWithOptions(strings.NewReader(source), html.ParseOptionEnableScripting(false))
	require.NoError(t, err)
	for n := range root.Descendants() {
		switch n.Data {
		case "script", "link", "base", "iframe", "object", "embed", "template":
			require.NotEqual(t, html.ElementNode, n.Type, "a <%s> is left", n.Data)
		case "meta":
			require.Empty(t, attr(n, "http-equiv"))
		}
	}
}

// A mail that means harm stays in its place.
func TestHostileMailsCannotBreakOut(t *testing.T) {
	t.Parallel()
	plain := preview.Mail{Raw: interview(t)}
	for _, e := range evil {
		t.Run(e, func(t *testing.T) {
			t.Parallel()
			root := page(t, preview.Options{Title: e}, plain, hostile(e), plain)
			holds(t, root)
			frame := attr(all(root, "iframe", "")[1], "srcdoc")
			assert.Contains(t, frame, "before", "the rest of the HTML is still shown")
		})
	}
}

// Sizes that no mail of people has give a page that a browser still opens, and take time in
// proportion.
func TestHugeMailsAreCut(t *testing.T) {
	t.Parallel()
	const header = "Subject: huge\r\n"
	many := func(s string, n int) string { return strings.Repeat(s, n/len(s)) }
	for name, c := range map[string]struct {
		raw  string
		note string
	}{
		"text": {header + "\r\n" + many("long ", 4<<20), "The text is longer than what is shown"},
		"HTML": {header + "Content-Type: text/html\r\n\r\n" + many("<p>long", 4<<20),
			"more than a page can show"},
		"deep HTML":   {header + "Content-Type: text/html\r\n\r\n" + many("<div>", 1<<20), "the HTML cannot be"},
		"header":      {header + many("X-A: b\r\n", 1<<20) + "\r\nbody", "header fields; the first 200 are shown"},
		"long header": {header + "X-A: " + many("b", 4<<20) + "\r\n\r\nbody", "bbb…"},
		"folded":      {header + "X-A: b\r\n" + many(" b\r\n", 4<<20) + "\r\nbody", "b b…"},
		"parts": {header + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
			many("--b\r\n\r\nx\r\n", 1<<20), "it has more parts than are shown"},
		"deep parts": {header + nested(40), "it cannot be taken apart"},
		"whole mail": {header + "\r\n" + many("long ", lint.MaxSize+1), "It is larger than"},
		"many guests": {many("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n", 36) +
			many("ATTENDEE:mailto:a@example.org\n", 60_000) + "END:VEVENT\nEND:VCALENDAR\n", "and 1900 more"},
		"big calendar": {"BEGIN:VCALENDAR\nDESCRIPTION:" + many("x", 4<<20) + "\n", "The event cannot be shown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			require.NoError(t, preview.Page(&b, []preview.Mail{{Raw: []byte(c.raw)}}, preview.Options{}))
			assert.Less(t, b.Len(), 2<<20)
			root, err := html.Parse(&b)
			require.NoError(t, err)
			shows(t, text(root), c.note, name)
		})
	}
}

// nested is multiparts within each other.
func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	return b.String()
}

func FuzzPage(f *testing.F) {
	f.Add(interview(f))
	for _, e := range evil {
		f.Add(hostile(e).Raw)
	}
	plain := preview.Mail{Raw: interview(f)}
	f.Fuzz(func(t *testing.T, raw []byte) {
		holds(t, page(t, preview.Options{}, plain, preview.Mail{Raw: raw, ReaderTZID: "Asia/Tokyo",
			Findings: []lint.Finding{}}, plain))
	})
}
