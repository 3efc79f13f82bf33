package preview_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/invitemailer/invitemailer/internal/preview"
	"github.com/invitemailer/invitemailer/mailer/lint"
)

// noon is the time of every check here.
var noon = time.Date(2027, 4, 1, 12, 0, 0, 0, time.UTC)

func interview(t testing.TB) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/interview.eml")
	require.NoError(t, err)
	return raw
}

// page makes a page and reads it as a browser does.
func page(t testing.TB, o preview.Options, mails ...preview.Mail) *html.Node {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, preview.Page(&b, mails, o))
	root, err := html.Parse(&b)
	require.NoError(t, err)
	return root
}

// all returns the elements of that name, with that class if it is not empty.
func all(root *html.Node, name, class string) []*html.Node {
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name && (class == "" ||
			strings.Contains(" "+attr(n, "class")+" ", " "+class+" ")) {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// text is what a reader sees of n, white space made one space.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode && (d.Parent == nil || d.Parent.Data != "style") {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Everything that a person wants to know of a mail before it is sent is on the page.
func TestPageShowsTheMail(t *testing.T) {
	t.Parallel()
	root := page(t, preview.Options{Title: "Three <mails>", Now: noon}, preview.Mail{
		Name: "ann lee.eml", Raw: interview(t), InviteID: "interview-1", Kind: "update", Outcome: "sent", ReaderTZID: "America/New_York",
	})
	shown := text(root)
	for name, want := range map[string]string{
		"title":           "Three <mails>",
		"subject":         "Invitation: Gespräch",
		"from":            "Zoë Müller <zoe@example.org>",
		"plain text":      "Gespräch at 09:30 <in> the board room.",
		"reader's time":   "Thursday, 29 April 2027, 04:30 – 05:00 America/New_York, UTC-04:00",
		"event's time":    "Thursday, 29 April 2027, 09:30 – 10:00 Europe/London, UTC+01:00",
		"guest":           "Ann Lee <ann@example.com> not answered",
		"answer":          "Accept Tentative Decline",
		"description":     "Bring a pen. And paper.",
		"sequence":        "Sequence 2",
		"kind":            "update",
		"outcome":         "sent",
		"invite":          "interview-1",
		"calendar's text": "DTSTART;TZID=Europe/London:20270429T093000",
		"part":            "text/calendar 1.3 method REQUEST, charset UTF-8 , 457 B, quoted-printable , 481 B on the wire",
		"file":            "application/ics 2 disposition attachment, file invite.ics , 32 B, base64 , 44 B on the wire",
		"header":          "Message-ID <1@example.org>",
		"time of check":   "Checked on 1 April 2027 at 12:00 UTC",
	} {
		shows(t, shown, want, name)
	}
	frames := all(root, "iframe", "")
	require.Len(t, frames, 1)
	assert.Equal(t, `<!DOCTYPE html><html lang="en"><head><title>Invitation</title></head><body><h1>Gespräch &amp; more</h1></body></html>`,
		strings.ReplaceAll(attr(frames[0], "srcdoc"), "\n", ""))
	var links []string
	for _, a := range all(root, "a", "") {
		links = append(links, attr(a, "href"))
	}
	assert.Equal(t, []string{"#mails", "https://meet.example.com/abc", "./ann%20lee.eml"}, links)
}

// shows asserts that a page has that text, without repeating the whole of it.
func shows(t *testing.T, shown, want, what string) {
	t.Helper()
	if !strings.Contains(shown, want) {
		assert.Fail(t, "it is not on the page", "%s: %q\nthe page begins: %.300q", what, want, shown)
	}
}

// The findings stand there with why, source and fix, whoever found them.
func TestPageShowsFindings(t *testing.T) {
	t.Parallel()
	raw := bytes.Replace(interview(t), []byte("UID:1@example.org\n"), nil, 1)
	found := lint.Check(raw, lint.Options{Now: noon})
	require.NotEmpty(t, found)
	shown := text(page(t, preview.Options{Now: noon}, preview.Mail{Raw: raw}))
	for _, f := range found {
		for _, want := range []string{f.Rule, f.What, f.Why, f.Source, f.Fix} {
			shows(t, shown, strings.Join(strings.Fields(want), " "), f.Rule)
		}
	}
	given := []lint.Finding{{Rule: "IM99", Level: lint.Error, What: "given <by> the caller", Source: "here"}}
	shown = text(page(t, preview.Options{}, preview.Mail{Raw: raw, Findings: given}))
	shows(t, shown, "1 error", "")
	shows(t, shown, "IM99 given <by> the caller Why, and what to do Source here", "")
	shows(t, text(page(t, preview.Options{}, preview.Mail{Raw: raw, Findings: []lint.Finding{}})),
		"None: the mail keeps every rule.", "")
}

// What cannot be read takes nothing else with it, and the page says what it was.
func TestBrokenMailsAreShownAsFarAsTheyCanBeRead(t *testing.T) {
	t.Parallel()
	const header = "From: a@example.org\nTo: b@example.org\nSubject: Hello\n"
	for name, c := range map[string]struct {
		raw  string
		want []string
	}{
		"nothing": {"", []string{"(no subject)", "This is no mail: it has no header.",
			"There is no calendar in it"}},
		"no mail":   {"Dear Ann,\nthis is a letter.", []string{"This is no mail", "Dear Ann, this is a letter."}},
		"no header": {"\x00\x01\x02binary", []string{"This is no mail", `\x00\x01\x02binary`}},
		"no body":   {header, []string{"Hello", "There is no calendar in it"}},
		"half a header": {header + "nonsense\n\nbody", []string{"Hello",
			"A header has a line that is no field: “nonsense”."}},
		"mbox":        {"From a Thu Apr 1 12:00:00 2027\n" + header + "\nbody text", []string{"Hello", "body text"}},
		"no boundary": {header + "Content-Type: multipart/mixed\n\nbody", []string{"it cannot be taken apart"}},
		"never opened": {header + "Content-Type: multipart/mixed; boundary=b\n\nbody",
			[]string{"its boundary does not occur in it"}},
		"never closed": {header + "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst part",
			[]string{"first part", "it ends without its last boundary"}},
		"broken part": {header +
			"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: \x00\nX: a\rb\n\none\n--b\nContent-Type: text/plain\n\ntwo\n--b--",
			[]string{"its Content-Type cannot be read", "two"}},
		"bad type": {header + "Content-Type: text/plain; charset\n\nbody text",
			[]string{"its Content-Type cannot be read", "body text"}},
		"broken base64": {header + "Content-Transfer-Encoding: base64\n\nSGVsbG8gQW5u!!!!",
			[]string{"Hello Ann", "its encoding is broken"}},
		"unknown charset": {header + "Content-Type: text/plain; charset=klingon\n\nbody text",
			[]string{"its charset, klingon, is unknown", "body text"}},
		"latin1": {header + "Content-Type: text/plain; charset=iso-8859-1\n\nGespr\xe4ch",
			[]string{"Gespräch"}},
		"bad words": {"Subject: =?klingon?q?abc?= tail\n\n", []string{"=?klingon?q?abc?= tail"}},
		"calendar alone": {"BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nUID:1\nSUMMARY:Lunch\nDTSTART;VALUE=DATE:20270429\nEND:VEVENT\nEND:VCALENDAR\n",
			[]string{"an iCalendar text alone", "Cancelled Lunch Thursday, 29 April 2027, all day"}},
		"broken calendar": {header + "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n",
			[]string{"The event cannot be shown", "BEGIN:VCALENDAR"}},
		"calendar with no time": {"BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\nEND:VCALENDAR\n",
			[]string{"(no title)", "It has no time."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := text(page(t, preview.Options{}, preview.Mail{Raw: []byte(c.raw), Findings: []lint.Finding{}}))
			for _, want := range c.want {
				shows(t, shown, want, name)
			}
		})
	}
}

// A reader's zone that is misspelled must not hide the event.
func TestUnknownZoneOfTheReader(t *testing.T) {
	t.Parallel()
	shown := text(page(t, preview.Options{}, preview.Mail{Raw: interview(t), ReaderTZID: "Europe/Brlin"}))
	shows(t, shown, "The reader's zone, Europe/Brlin, is unknown", "")
	shows(t, shown, "09:30 – 10:00 Europe/London, UTC+01:00", "")
}

// A browser does not open ten thousand mails: the rest is counted.
func TestWriterShowsTheFirstMails(t *testing.T) {
	t.Parallel()
	raw := interview(t)
	for _, c := range []struct {
		added, shown int
		note         string
	}{
		{201, 200, "The first 200 are shown; 1 mail more would be too much for one page."},
		{207, 200, "The first 200 are shown; 7 mails more would be too much for one page."},
		{200, 200, ""},
		{5, 5, ""},
		{0, 0, "There are no mails."},
	} {
		root := page(t, preview.Options{}, make([]preview.Mail, c.added)...)
		assert.Len(t, all(root, "details", "mail"), c.shown)
		shows(t, text(root), c.note, "")
	}
	root := page(t, preview.Options{}, preview.Mail{Raw: raw}, preview.Mail{Raw: raw})
	var open []string
	for _, d := range all(root, "details", "mail") {
		for _, a := range d.Attr {
			if a.Key == "open" {
				open = append(open, attr(d, "id"))
			}
		}
	}
	assert.Equal(t, []string{"m1"}, open, "the first mail is open")
}

// full is a disk with room for some octets.
type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// A page that could not be written whole is an error every time after.
func TestWriterFails(t *testing.T) {
	t.Parallel()
	_, err := preview.NewWriter(&full{}, preview.Options{})
	require.ErrorIs(t, err, errFull)

	w, err := preview.NewWriter(&full{room: 20_000}, preview.Options{})
	require.NoError(t, err)
	for range 20 {
		err = w.Add(preview.Mail{Raw: interview(t)})
	}
	require.ErrorIs(t, err, errFull)
	require.ErrorIs(t, w.Close(), errFull)

	w, err = preview.NewWriter(&bytes.Buffer{}, preview.Options{})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	require.ErrorContains(t, w.Add(preview.Mail{}), "closed")
}

func ExamplePage() {
	var page strings.Builder
	err := preview.Page(&page, []preview.Mail{{Name: "ann.eml", Raw: []byte("Subject: Lunch\n\nAt noon.")}},
		preview.Options{Now: time.Now()})
	fmt.Println(err, strings.Contains(page.String(), "Lunch"))
	// Output: <nil> true
}

func BenchmarkPage(b *testing.B) {
	mails := []preview.Mail{{Raw: interview(b)}}
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, preview.Page(&bytes.Buffer{}, mails, preview.Options{Now: noon}))
	}
}
