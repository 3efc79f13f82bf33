package message_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
)

var update = flag.Bool("update", false, "write the golden files anew")

func addr(t testing.TB, s string) address.Address {
	t.Helper()
	a, err := address.Parse(s)
	require.NoError(t, err)
	return a
}

// ical is a calendar with everything that a transfer encoding could change: folds that end in a
// space, characters of four octets, equals signs, dots and "From " at the start of a line.
func ical(method string) []byte {
	return []byte(strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Smart Invites//EN
METHOD:`+method+`
BEGIN:VEVENT
UID:evt-1@smartinvite.example
DTSTAMP:20260401T081500Z
SEQUENCE:0
DTSTART:20260429T093000Z
DTEND:20260429T100000Z
SUMMARY:Board meeting 🗓️
DESCRIPTION:Discuss plans=targets for the next quarter. 
 From here it goes on after a fold that ends in a space\, and 
 .once more.
ORGANIZER;CN=Smart invite application:mailto:organizer@myapplication.example
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ada@example.com
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n"))
}

func base(t testing.TB) message.Message {
	return message.Message{
		From: message.Mailbox{Name: "Smart invite application",
			Address: addr(t, "organizer@myapplication.example")},
		To:        message.Mailbox{Name: "Ada Lovelace", Address: addr(t, "ada@example.com")},
		Subject:   "Invitation: Board meeting",
		Text:      "Board meeting\n\nFrom 10:30 to 11:00, London time.\nFrom the stairs, turn left. This line is long enough to be broken softly somewhere.\n.\nBring figures.",
		HTML:      "<!doctype html>\n<h1>Board meeting</h1>\n<p>10:30–11:00 &lt;London&gt;</p>\n",
		Calendar:  ical("REQUEST"),
		Method:    "REQUEST",
		Date:      time.Date(2026, 4, 1, 9, 15, 0, 0, time.FixedZone("BST", 3600)),
		MessageID: "ndzuv4ykzwkw2kpuhmyo43fw3pkkz4gxsybd5fhqbdm5ajcvrqfa@myapplication.example",
	}
}

func TestGolden(t *testing.T) { // Not parallel: it holds the source of randomness, which draws the boundaries.
	cases := map[string]func(*message.Message){
		"request": func(*message.Message) {},
		"cancel": func(m *message.Message) {
			m.Calendar, m.Method = ical("CANCEL"), "CANCEL"
			m.Subject = "Cancelled: Board meeting"
			m.ReplyTo = &message.Mailbox{Name: `Grace "Amazing" Hopper`, Address: addr(t, "grace@example.org")}
			m.InReplyTo = "a123@myapplication.example"
			m.References = []string{"a123@myapplication.example", "b456@myapplication.example"}
		},
		"beyond-ascii": func(m *message.Message) {
			m.From.Name = `Zoë "Z." Müller`
			m.To.Name = "山田 太郎"
			m.Subject = "Invitation: " + strings.Repeat("Vorstandssitzung 👩🏽‍🚀 über Pläne, ", 8)
			m.Text = "Zoë lädt ein: 👩🏽‍🚀\n"
		},
		"smtputf8": func(m *message.Message) {
			m.To = message.Mailbox{Name: "José", Address: addr(t, "josé@bücher.example")}
		},
		"idn": func(m *message.Message) {
			m.From.Address = addr(t, "Termine@BÜCHER.example")
			m.To.Address = addr(t, "ada@例え.テスト")
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, 1)
			m := base(t)
			change(&m)
			c, err := message.Compose(m)
			require.NoError(t, err)
			file := filepath.Join("testdata", name+".eml")
			if *update {
				require.NoError(t, os.WriteFile(file, c.Bytes, 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), string(c.Bytes))

			requireWire(t, c.Bytes, !c.SMTPUTF8)
			a := parse(t, c.Bytes)
			assert.Equal(t, string(m.Calendar), string(a.calendar))
			assert.Equal(t, string(m.Calendar), string(a.attached))
			assert.Equal(t, "text/calendar; method="+m.Method+"; charset=UTF-8", a.calendarType)
			assert.Equal(t, strings.ReplaceAll(strings.TrimSuffix(m.Text, "\n"), "\n", "\r\n")+"\r\n", a.text)
			assert.Equal(t, strings.ReplaceAll(m.HTML, "\n", "\r\n"), a.html)
			assert.Equal(t, m.From.Address.String(), c.From)
			assert.Equal(t, m.To.Address.String(), c.To)
			assert.Equal(t, name == "smtputf8", c.SMTPUTF8)
			for field, box := range map[string]message.Mailbox{"From": m.From, "To": m.To} {
				list, err := a.header.AddressList(field)
				require.NoError(t, err)
				require.Len(t, list, 1)
				assert.Equal(t, box.Name, list[0].Name)
				assert.Equal(t, box.Address.String(), list[0].Address)
			}
			assert.Equal(t, "auto-generated", a.header.Get("Auto-Submitted"))
			assert.Equal(t, "1.0", a.header.Get("MIME-Version"))
			assert.Equal(t, "Wed, 01 Apr 2026 09:15:00 +0100", a.header.Get("Date"))
			assert.Equal(t, "<"+m.MessageID+">", a.header.Get("Message-ID"))
		})
	}
}

// fields are the header fields of a mail without the optional ones.
var fields = []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}

func TestHeaderFields(t *testing.T) {
	t.Parallel()
	m := base(t)
	c, err := message.Compose(m)
	require.NoError(t, err)
	assert.Equal(t, fields, parse(t, c.Bytes).names, "no User-Agent, X-Mailer, Sender, Cc, Bcc")

	m.ReplyTo = &message.Mailbox{Address: addr(t, "ORGANIZER@myapplication.example")}
	c, err = message.Compose(m)
	require.NoError(t, err)
	assert.NotContains(t, parse(t, c.Bytes).names, "Reply-To", "it says nothing that From does not say")

	m.ReplyTo = &message.Mailbox{Address: addr(t, "grace@example.org")}
	m.InReplyTo, m.References = "a@b.example", []string{"a@b.example", "c@d.example"}
	c, err = message.Compose(m)
	require.NoError(t, err)
	a := parse(t, c.Bytes)
	assert.Equal(t, "grace@example.org", a.header.Get("Reply-To"))
	assert.Equal(t, "<a@b.example>", a.header.Get("In-Reply-To"))
	assert.Equal(t, "<a@b.example> <c@d.example>", a.header.Get("References"))
}

func TestComposeRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, field string
		change      func(*message.Message)
	}{
		{"no From", "From", func(m *message.Message) { m.From = message.Mailbox{} }},
		{"no To", "To", func(m *message.Message) { m.To = message.Mailbox{} }},
		{"empty Reply-To", "ReplyTo", func(m *message.Message) { m.ReplyTo = &message.Mailbox{Name: "x"} }},
		{"From beyond ASCII", "From", func(m *message.Message) { m.From.Address = addr(t, "josé@example.com") }},
		{"Reply-To beyond ASCII", "ReplyTo", func(m *message.Message) {
			m.ReplyTo = &message.Mailbox{Address: addr(t, "josé@example.com")}
		}},
		{"blank subject", "Subject", func(m *message.Message) { m.Subject = "\u202e \r\n" }},
		{"blank text", "Text", func(m *message.Message) { m.Text = " \n" }},
		{"blank HTML", "HTML", func(m *message.Message) { m.HTML = "" }},
		{"no date", "Date", func(m *message.Message) { m.Date = time.Time{} }},
		{"no ID", "MessageID", func(m *message.Message) { m.MessageID = "" }},
		{"ID in brackets", "MessageID", func(m *message.Message) { m.MessageID = "<a@b>" }},
		{"ID with a line in it", "MessageID", func(m *message.Message) { m.MessageID = "a@b\r\nBcc: x@y" }},
		{"ID beyond ASCII", "MessageID", func(m *message.Message) { m.MessageID = "a@bücher.example" }},
		{"ID without end", "MessageID", func(m *message.Message) { m.MessageID = strings.Repeat("a", 500) + "@b" }},
		{"In-Reply-To with a line in it", "InReplyTo", func(m *message.Message) { m.InReplyTo = "a@b\r\nBcc: x@y" }},
		{"References with a line in it", "References", func(m *message.Message) {
			m.References = []string{"a@b", "a@b>\r\nBcc: x@y"}
		}},
		{"method in lower case", "Method", func(m *message.Message) { m.Method = "request" }},
		{"method of another kind", "Method", func(m *message.Message) { m.Method = "PUBLISH" }},
		{"method with a line in it", "Method", func(m *message.Message) { m.Method = "REQUEST\r\nBcc: x@y" }},
		{"method of another mail", "Method", func(m *message.Message) { m.Method = "CANCEL" }},
		{"no calendar", "Calendar", func(m *message.Message) { m.Calendar = nil }},
		{"calendar in base64", "Calendar",
			func(m *message.Message) { m.Calendar = []byte("QkVHSU46VkNBTEVOREFS\r\n") }},
		{"calendar with bare LF", "Calendar", func(m *message.Message) {
			m.Calendar = []byte(strings.ReplaceAll(string(m.Calendar), "\r\nVERSION", "\nVERSION"))
		}},
		{"calendar with bare CR", "Calendar", func(m *message.Message) {
			m.Calendar = []byte(strings.ReplaceAll(string(m.Calendar), "Board", "Bo\rard"))
		}},
		{"calendar with bare LF in a fold", "Calendar", func(m *message.Message) {
			m.Calendar = []byte(strings.ReplaceAll(string(m.Calendar), "\r\n From", "\n From"))
		}},
		{"calendar without last line end", "Calendar",
			func(m *message.Message) { m.Calendar = []byte(strings.TrimSpace(string(m.Calendar))) }},
		{"calendar without METHOD", "Calendar", func(m *message.Message) {
			m.Calendar = []byte(strings.ReplaceAll(string(m.Calendar), "METHOD:REQUEST\r\n", ""))
		}},
		{"METHOD in the event alone", "Calendar", func(m *message.Message) {
			s := strings.ReplaceAll(string(m.Calendar), "METHOD:REQUEST\r\n", "")
			m.Calendar = []byte(strings.ReplaceAll(s, "UID:", "METHOD:REQUEST\r\nUID:"))
		}},
		{"two METHODs", "Method", func(m *message.Message) {
			m.Calendar = []byte(strings.ReplaceAll(string(m.Calendar), "METHOD:", "METHOD:CANCEL\r\nMETHOD:"))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := base(t)
			tc.change(&m)
			c, err := message.Compose(m)
			require.Nil(t, c)
			var e *message.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tc.field, e.Field)
			assert.NotContains(t, err.Error(), "x@y", "no content in errors")
		})
	}
}

// The METHOD of a calendar counts however it is written.
func TestComposeFindsMethod(t *testing.T) {
	t.Parallel()
	m := base(t)
	m.Calendar = []byte("begin:vcalendar\r\nmethod:request\r\nend:vcalendar\r\n")
	_, err := message.Compose(m)
	require.NoError(t, err)
	for _, method := range []string{"method:request", "METHOD;X-A=b:REQUEST", "METH\r\n OD:REQ\r\n\tUEST",
		"METHOD:REQUEST "} {
		m := base(t)
		m.Calendar = []byte(strings.ReplaceAll(string(m.Calendar), "METHOD:REQUEST", method))
		c, err := message.Compose(m)
		require.NoError(t, err, method)
		assert.Equal(t, string(m.Calendar), string(parse(t, c.Bytes).calendar))
	}
}

// A local part in quotes keeps them, in the header and in the envelope.
func TestQuotedLocalPart(t *testing.T) {
	t.Parallel()
	m := base(t)
	m.To.Address = addr(t, `"ada @ home"@example.com`)
	c, err := message.Compose(m)
	require.NoError(t, err)
	assert.Equal(t, `"Ada Lovelace" <"ada @ home"@example.com>`, parse(t, c.Bytes).header.Get("To"))
	assert.Equal(t, `"ada @ home"@example.com`, c.To)
}

// Programs that keep mail in mbox files change lines that begin with "From ": none does, and the
// text is the same to a reader.
func TestLinesThatBeginWithFrom(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"From here", "x\nFrom here\n", "From From From", "From \nFrom \n",
		"From " + strings.Repeat("x", 69), "From " + strings.Repeat("x", 70), "From " + strings.Repeat("x", 71),
		"From " + strings.Repeat("From ", 40), strings.Repeat("x", 75) + "From here", strings.Repeat("é", 400) +
			"From ",
	} {
		m := base(t)
		m.Text = text
		c, err := message.Compose(m)
		require.NoError(t, err)
		requireWire(t, c.Bytes, true)
		got := strings.TrimSuffix(strings.ReplaceAll(parse(t, c.Bytes).text, "\r\n", "\n"), "\n")
		assert.Equal(t, strings.TrimSuffix(text, "\n"), got)
	}
}

// A Message-ID for the longest domain there is can be used.
func TestComposeTakesTheLongestID(t *testing.T) {
	t.Parallel()
	m := base(t)
	label := strings.Repeat("d", 62)
	m.From.Address = addr(t, "a@"+strings.Join([]string{label, label, label, label}, "."))
	m.MessageID = message.ID("1", m.To.Address.Key(), m.Method, [32]byte{}, 0, m.From.Address.Domain())
	c, err := message.Compose(m)
	require.NoError(t, err)
	assert.Equal(t, "<"+m.MessageID+">", parse(t, c.Bytes).header.Get("Message-ID"))
}

// No text from outside becomes a header field, whichever way it comes.
func TestComposeHoldsInjectionOff(t *testing.T) {
	t.Parallel()
	for _, evil := range []string{
		"x\r\nBcc: victim@example.net",
		"x\nBcc: victim@example.net",
		"x\rBcc: victim@example.net",
		"x\r\n\r\n<html>",
		"x\u2028Bcc: victim@example.net",
		"x\x00\r\n Bcc: y",
		"=?utf-8?q?x=0D=0ABcc:_y?=",
		"=?utf-8?b?4oCu?=",
		"x\" <victim@example.net>, \"y",
		`back\slash "quoted" (comment)`,
		strings.Repeat("a", 200),
		strings.Repeat("é", 200),
		strings.Repeat("👩🏽‍🚀", 100),
		"\xff\xfe",
	} {
		m := base(t)
		m.Subject, m.From.Name, m.To.Name = "Invitation: "+evil, evil, evil
		m.ReplyTo = &message.Mailbox{Name: evil, Address: addr(t, "grace@example.org")}
		c, err := message.Compose(m)
		require.NoError(t, err, "%q", evil)
		requireWire(t, c.Bytes, true)
		requireSeen(t, m, c)
	}
}

func TestSubjectIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, subject, want string }{
		{"fits", strings.Repeat("x", 150), strings.Repeat("x", 150)},
		{"ASCII", strings.Repeat("x", 151), strings.Repeat("x", 149) + "…"},
		{"a family stays together", strings.Repeat("x", 146) + "👩‍👩‍👧‍👦 and more", strings.Repeat("x", 146) + "…"},
		{"no space before the ellipsis", strings.Repeat("x", 148) + " yy", strings.Repeat("x", 148) + "…"},
	} {
		m := base(t)
		m.Subject = tc.subject
		c, err := message.Compose(m)
		require.NoError(t, err, tc.name)
		assert.Equal(t, tc.want, decodeHeader(t, parse(t, c.Bytes).header.Get("Subject")), tc.name)
	}
}

// A name that shows another address would be taken for the sender's.
func TestNameWithAnotherAddressIsLeftOut(t *testing.T) {
	t.Parallel()
	m := base(t)
	m.From.Name = "ceo@bank.example"
	c, err := message.Compose(m)
	require.NoError(t, err)
	assert.Equal(t, "organizer@myapplication.example", parse(t, c.Bytes).header.Get("From"))
}

func BenchmarkCompose(b *testing.B) {
	m := base(b)
	_, err := message.Compose(m) // The first one reads the media types of the system.
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := message.Compose(m); err != nil {
			b.Fatal(err)
		}
	}
}
