package message_test

import (
	"mime"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/message"
)

func decodeHeader(t require.TestingT, value string) string {
	decoded, err := new(mime.WordDecoder).DecodeHeader(value)
	require.NoError(t, err)
	return decoded
}

// requireSeen fails unless the mail has the expected fields once each, a reader sees what was
// meant, and both calendars are the input.
func requireSeen(t require.TestingT, m message.Message, c *message.Composed) {
	a := parse(t, c.Bytes)
	want := slices.Clone(fields)
	if m.ReplyTo != nil {
		want = append(want, "Reply-To")
	}
	slices.Sort(want)
	require.Equal(t, want, a.names)
	require.Equal(t, string(m.Calendar), string(a.calendar))
	require.Equal(t, string(m.Calendar), string(a.attached))

	subject := decodeHeader(t, a.header.Get("Subject"))
	clean := address.CleanText(m.Subject)
	if utf8.RuneCountInString(clean) <= message.MaxSubject {
		require.Equal(t, clean, subject)
	} else {
		require.LessOrEqual(t, utf8.RuneCountInString(subject), message.MaxSubject)
		require.True(t, strings.HasPrefix(clean, strings.TrimSuffix(subject, "…")))
	}
	boxes := map[string]message.Mailbox{"From": m.From, "To": m.To}
	if m.ReplyTo != nil {
		boxes["Reply-To"] = *m.ReplyTo
	}
	for field, box := range boxes {
		list, err := a.header.AddressList(field)
		require.NoError(t, err, a.header.Get(field))
		require.Len(t, list, 1)
		require.Equal(t, box.Address.String(), list[0].Address)
		name := address.CleanName(box.Name, box.Address)
		if utf8.RuneCountInString(name) <= message.MaxSubject {
			require.Equal(t, name, list[0].Name)
		}
		require.NotContains(t, list[0].Name, "\u202e")
		require.Equal(t, -1, strings.IndexFunc(list[0].Name+subject, unicode.IsControl))
	}
}

// Whatever an event is called and whoever is invited, the mail parses, has its fields once each,
// and carries the calendar unchanged.
func TestComposeProperty(t *testing.T) {
	t.Parallel()
	m := base(t)
	reply := addr(t, "grace@example.org")
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.RuneFrom([]rune("ab \t\r\n\"\\<>()@,;:.=?_\u202e\u2028é👩🏽‍🚀\x00"))),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
	)
	rapid.Check(t, func(rt *rapid.T) {
		str := func(label string) string { return text.Draw(rt, label) }
		m := m
		m.Subject = "Invitation: " + str("subject")
		m.From.Name, m.To.Name = str("from"), str("to")
		m.ReplyTo = &message.Mailbox{Name: str("reply"), Address: reply}
		m.Text, m.HTML = "t"+str("text"), "h"+str("html")
		summary := strings.NewReplacer("\r", "", "\n", "").Replace(str("summary"))
		m.Calendar = []byte(strings.ReplaceAll(string(ical("REQUEST")), "Board meeting", summary))
		c, err := message.Compose(m)
		require.NoError(rt, err)
		requireWire(rt, c.Bytes, true)
		requireSeen(rt, m, c)
	})
}

func FuzzCompose(f *testing.F) {
	f.Add("Board meeting", "Ada")
	f.Add("x\r\nBcc: y", `"q" \ <a@b>`)
	f.Add("=?utf-8?q?=0D=0A?=", "=?utf-8?b?4oCu?=")
	f.Add(strings.Repeat("👩🏽‍🚀", 60), strings.Repeat("é ", 90))
	f.Fuzz(func(t *testing.T, subject, name string) {
		m := base(t)
		m.Subject = "Invitation: " + subject
		m.From.Name, m.To.Name = name, name
		m.Text += subject
		c, err := message.Compose(m)
		require.NoError(t, err)
		requireWire(t, c.Bytes, true)
		requireSeen(t, m, c)
	})
}
