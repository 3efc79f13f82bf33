package templates

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"
)

// maxPage is where mail programs are still far from clipping a page.
const maxPage = 50_000

// visible is the text of a page, white space collapsed, without its head.
func visible(t testing.TB, page string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for n := range doc.Descendants() {
		if n.Data == "body" {
			return flat(textOf(n))
		}
	}
	t.Fatal("the page has no body")
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		switch {
		case c.Type == html.TextNode:
			b.WriteString(c.Data)
		case c.Data == "br":
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// fataler is what testing.TB and rapid.T share.
type fataler interface {
	require.TestingT
	Helper()
}

// element is the first element of that name.
func element(t fataler, doc *html.Node, name string) *html.Node {
	t.Helper()
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			return n
		}
	}
	require.Fail(t, "no element "+name)
	return nil
}

// checkPage holds a page to what every page of ours keeps, whatever the event:
// no element, attribute or link that a mail must not have, and every link to
// the web one that the event has.
func checkPage(t fataler, page string, d Data) *html.Node {
	t.Helper()
	require.Less(t, len(page), maxPage)
	require.True(t, utf8.ValidString(page))
	doc, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	known := map[string]bool{
		"html": true, "head": true, "meta": true, "title": true, "style": true, "body": true, "table": true, "tbody": true, "tr": true, "td": true,
		"h1": true, "h2": true, "p": true, "a": true, "br": true, "strong": true, "span": true, "bdi": true,
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		require.True(t, known[n.Data], "element %s", n.Data)
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on"), "attribute %s", a.Key)
			require.NotContains(t, []string{"src", "background", "action", "srcset"}, a.Key)
			require.NotContains(t, strings.ToLower(a.Val), "url(")
			if n.Data == "table" && a.Key == "role" {
				require.Equal(t, "presentation", a.Val)
			}
			if a.Key == "href" {
				mail := strings.HasPrefix(a.Val, "mailto:")
				web := a.Val == oneLine(d.Location) || a.Val == oneLine(d.LocationURL) || a.Val == oneLine(d.URL)
				require.True(t, mail || web && (strings.HasPrefix(a.Val, "http://") ||
					strings.HasPrefix(a.Val, "https://")), "link %q", a.Val)
			}
		}
	}
	return doc
}

func TestPageIsFitForMail(t *testing.T) {
	t.Parallel()
	for _, kind := range allKinds {
		d := moved(t)
		words := render(t, kind, d)
		doc := checkPage(t, words.HTML, d)
		attributes := map[string]string{}
		for _, a := range element(t, doc, "html").Attr {
			attributes[a.Key] = a.Val
		}
		assert.Equal(t, map[string]string{"lang": "en", "dir": "ltr"}, attributes)
		assert.Equal(t, words.Subject, textOf(element(t, doc, "title")))
		assert.Contains(t, textOf(element(t, doc, "style")), "prefers-color-scheme: dark")
		assert.Equal(t, strings.Count(words.HTML, "<table"), strings.Count(words.HTML, `<table role="presentation"`))
	}
}

// Any title is text in the page, in the letter and in the subject, and nothing
// but text.
func TestAnySummaryIsText(t *testing.T) {
	t.Parallel()
	set, err := New()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(allKinds).Draw(t, "kind")
		piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"<script>", "</title>", "<!--", "]]>",
			"{{.}}", "\u202e", "\r\n", `" onload="x`, "\x00", "&amp;", "\xff", "javascript:"}))
		d := Data{Summary: strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "summary"), "")}
		words, err := set.Render(kind, d)
		require.NoError(t, err)
		doc := checkPage(t, words.HTML, d)
		title := oneLine(d.Summary)
		if title == "" {
			title = "(no title)"
		}
		require.Equal(t, title, textOf(element(t, doc, "h1")))
		require.Equal(t, words.Subject, textOf(element(t, doc, "title")))
		require.True(t, strings.HasSuffix(words.Subject, title), words.Subject)
		require.Contains(t, flat(words.Text), flat(title))
		require.False(t, strings.ContainsFunc(words.Subject, unicode.IsControl))
	})
}

func FuzzRender(f *testing.F) {
	f.Add("Board meeting", "Discuss\r\nplans", "https://example.com/a", "de-AT", int64(0))
	f.Add("\xb7", "the name of a zone that is no UTF-8", "", "", int64(1<<33))
	f.Add("<script>alert(1)</script>", "</p><img src=x onerror=alert(1)>", "javascript:alert(1)", "ar", int64(1<<33))
	set, err := New()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, summary, description, location, lang string, seconds int64) {
		d := Data{
			Lang: lang, Zone: time.FixedZone(summary, int(seconds%50400)), TZID: summary,
			Start: time.Unix(seconds%(1<<36), 0).UTC(), End: time.Unix(seconds%(1<<35), 0),
			Summary: summary, Description: description, Location: location, URL: location,
			Organizer: Person{Name: summary, Email: location}, ReplyTo: summary,
		}
		d.Changes = Changes(Data{}, Data{Summary: summary, Description: description, Location: location})
		words, err := set.Render(Update, d)
		require.NoError(t, err)
		checkPage(t, words.HTML, d)
		require.False(t, strings.ContainsFunc(words.Subject+words.HTML,
			func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }))
		for line := range strings.SplitSeq(words.Text, "\n") {
			require.Equal(t, strings.TrimRight(line, " \t\r"), line)
		}
	})
}

func TestHostileEvents(t *testing.T) {
	t.Parallel()
	emoji := strings.Repeat("🎉", 1024)
	tests := []struct {
		name    string
		change  func(*Data)
		subject string   // its end
		shown   []string // in the page as text
		never   []string // nowhere in the page's source
	}{
		{"script in the title", func(d *Data) { d.Summary = `<script>alert("x")</script>` },
			`<script>alert("x")</script>`, []string{`<script>alert("x")</script>`}, []string{"<script"}},
		{"header injection", func(d *Data) { d.Summary = "Lunch\r\nBcc: all@example.com\x00\u2028\u0085!" },
			": Lunch Bcc: all@example.com !", []string{"Lunch Bcc: all@example.com !"}, []string{"\x00", "\u2028"}},
		{"only emoji", func(d *Data) { d.Summary = emoji }, emoji, []string{emoji}, nil},
		{"bidirectional overrides", func(d *Data) {
			d.Summary, d.Location, d.Description = "\u202egnp.exe\u2066", "\u200fRoom\u202c", "a\u202eb"
		}, ": gnp.exe", []string{"gnp.exe", "Room", "ab"}, []string{"\u202e", "\u2066", "\u200f", "\u202c"}},
		{"right to left without overrides", func(d *Data) { d.Summary = "اجتماع مجلس الإدارة" },
			"اجتماع مجلس الإدارة", []string{"اجتماع مجلس الإدارة"}, nil},
		{"HTML in the description",
			func(d *Data) { d.Description = "<b>Hi</b><img src=http://evil.example/x onerror=alert(1)>\n\nBye" }, "",
			[]string{"<b>Hi</b><img src=http://evil.example/x onerror=alert(1)> Bye"}, []string{"<img", "<b>"}},
		{"a script as place", func(d *Data) { d.Location, d.LocationURL = "javascript:alert(1)", "" }, "",
			[]string{"javascript:alert(1)"}, []string{`href="javascript`, "Zgotmpl"}},
		{"a script as the place's link", func(d *Data) { d.Location, d.LocationURL = "", "JavaScript:alert(1)" }, "",
			[]string{"JavaScript:alert(1)"}, []string{`href="Java`, "Zgotmpl"}},
		{"data as the event's page", func(d *Data) { d.URL = "data:text/html,<script>alert(1)</script>" }, "",
			[]string{"data:text/html,<script>"}, []string{`href="data`, "Zgotmpl"}},
		{"a link that pretends", func(d *Data) { d.URL = "https://bank.example@evil.example/" }, "",
			[]string{"https://bank.example@evil.example/"}, []string{`href="https://bank`}},
		{"mailto with more than an address", func(d *Data) { d.ReplyTo = "a@example.com?bcc=b@example.com" }, "",
			[]string{"a@example.com?bcc=b@example.com"}, []string{"mailto:"}},
		{"markup in names", func(d *Data) { d.Organizer.Name = "<i onclick=x>Jane</i>\r\n" }, "",
			[]string{"<i onclick=x>Jane</i> <jane@example.com>"}, []string{"<i"}},
		{"template in the title", func(d *Data) { d.Summary = "{{.Recipient.Email}}" }, "{{.Recipient.Email}}",
			[]string{"{{.Recipient.Email}}"}, nil},
		{"broken UTF-8", func(d *Data) { d.Summary = "a\xffb" }, "a\uFFFDb", []string{"a\uFFFDb"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := boardMeeting(t)
			tt.change(&d)
			for i := range len(allKinds) * len(readers()) {
				kind := allKinds[i%len(allKinds)]
				d.Lang = []string{"en", "de", "fr", "es", "ja", "ar"}[i/len(allKinds)]
				if (kind == Cancellation || kind == Withdrawal) && strings.HasPrefix(tt.name, "mailto") {
					continue // they mention no replies
				}
				words := render(t, kind, d)
				checkPage(t, words.HTML, d)
				assert.True(t, strings.HasSuffix(words.Subject, strings.TrimPrefix(tt.subject, ": ")), words.Subject)
				for _, want := range tt.shown {
					// Arabic has other brackets around an address.
					want = strings.TrimSuffix(want, "<jane@example.com>")
					assert.Contains(t, visible(t, words.HTML), want)
					assert.Contains(t, flat(words.Text), want)
				}
				for _, not := range tt.never {
					assert.NotContains(t, words.HTML, not)
				}
			}
		})
	}
}

// Every field as long as it may be, of the characters that escape longest, and
// still no mail program clips the page.
func TestLargestPage(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"<", "+", "\"", "\n", "🎉", "<\n"} {
		fill := func(n int) string { return strings.Repeat(c, n) }
		d := boardMeeting(t)
		d.Summary, d.Description, d.Location = fill(1024), fill(5000), fill(2000)
		d.Organizer.Name = fill(2000)
		d.URL = "https://example.com/?" + strings.Repeat("&", 380)
		d.LocationURL = d.URL + "+"
		require.NotEmpty(t, link(d.LocationURL))
		d.Changes = Changes(
			Data{Summary: fill(1023), Location: fill(1999), Description: "x"},
			Data{Summary: fill(1024), Location: fill(2000), Description: d.Description, Start: d.Start, End: d.End,
				TZID: d.TZID},
		)
		for _, kind := range allKinds {
			words := render(t, kind, d)
			assert.Less(t, len(words.HTML), maxPage, "%s of %q", kind, c)
		}
	}
	d := boardMeeting(t)
	d.Description = strings.Repeat("<", 4096)
	assert.Contains(t, visible(t, render(t, Invitation, d).HTML), d.Description,
		"the longest description that the API takes is whole")
}

// Every text keeps the contrast of WCAG 2.2 level AA, 4.5:1, with what is behind
// it, in light and in dark. Light colours stand inline, dark ones by class: each
// text must find both in itself or above.
func TestContrast(t *testing.T) {
	t.Parallel()
	pairs := map[string]bool{}
	for lang := range readers() {
		for _, kind := range allKinds {
			d := moved(t)
			d.Lang, d.Zone = lang, loadZone(t, "Asia/Kolkata")
			doc, err := html.Parse(strings.NewReader(render(t, kind, d).HTML))
			require.NoError(t, err)
			dark := darkRules(t, textOf(element(t, doc, "style")))
			for n := range element(t, doc, "body").Descendants() {
				if n.Type != html.TextNode || strings.TrimSpace(n.Data) == "" {
					continue
				}
				for scheme, find := range map[string]func(*html.Node, string) string{
					"light": func(n *html.Node, property string) string {
						return declared(attribute(n, "style"),
							property)
					},
					"dark": func(n *html.Node, property string) string {
						for class := range strings.FieldsSeq(attribute(n, "class")) {
							if color := declared(dark[class], property); color != "" {
								return color
							}
						}
						return ""
					},
				} {
					text, ground := inherited(n, "color", find), inherited(n, "background", find)
					require.NotEmpty(t, text, "%s: the colour of %q", scheme, n.Data)
					require.NotEmpty(t, ground, "%s: what is behind %q", scheme, n.Data)
					assert.GreaterOrEqual(t, contrast(t, ground, text), 4.5, "%s: %q is %s on %s", scheme, n.Data,
						text, ground)
					pairs[scheme+text+ground] = true
				}
			}
		}
	}
	assert.Len(t, pairs, 8, "text, quiet, link and off, in light and in dark")
}

func inherited(n *html.Node, property string, find func(*html.Node, string) string) string {
	for n = n.Parent; n != nil; n = n.Parent {
		if color := find(n, property); color != "" {
			return color
		}
	}
	return ""
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// declared is the value of a property in a list of declarations.
func declared(style, property string) string {
	for declaration := range strings.SplitSeq(style, ";") {
		if name, value, _ := strings.Cut(declaration, ":"); strings.TrimSpace(name) == property {
			return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		}
	}
	return ""
}

// darkRules are the declarations of each class in the dark scheme.
func darkRules(t *testing.T, css string) map[string]string {
	_, css, found := strings.Cut(css, "prefers-color-scheme: dark) {")
	require.True(t, found)
	rules := map[string]string{}
	for rule := range strings.SplitSeq(css, "}") {
		if class, declarations, ok := strings.Cut(rule, "{"); ok {
			rules[strings.TrimPrefix(strings.TrimSpace(class), ".")] = declarations
		}
	}
	return rules
}

// No width is fixed beyond a phone's.
func TestPageFitsAPhone(t *testing.T) {
	t.Parallel()
	doc, err := html.Parse(strings.NewReader(render(t, Update, moved(t)).HTML))
	require.NoError(t, err)
	for n := range doc.Descendants() {
		assert.Contains(t, []string{"", "100%"}, attribute(n, "width"))
		assert.Empty(t, declared(attribute(n, "style"), "width"))
		assert.Empty(t, declared(attribute(n, "style"), "min-width"))
		assert.NotContains(t, attribute(n, "style"), "nowrap")
	}
}

func contrast(t *testing.T, a, b string) float64 {
	light, dark := luminance(t, a), luminance(t, b)
	if light < dark {
		light, dark = dark, light
	}
	return (light + 0.05) / (dark + 0.05)
}

// luminance is WCAG's relative luminance of the colour that s ends with.
func luminance(t *testing.T, s string) float64 {
	rgb, err := strconv.ParseUint(s[strings.LastIndex(s, "#")+1:], 16, 32)
	require.NoError(t, err, fmt.Sprintf("the colour of %q", s))
	channel := func(shift int) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}
