package cronofytest_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

const plain = "Content-Type: text/calendar; charset=utf-8; method=REPLY\r\nContent-Transfer-Encoding: 8bit"

const accepts = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:cronofy@example.com"

// wire writes a reply by hand: header fields of the calendar part, then the calendar.
func wire(header, calendar string) []byte {
	return []byte(
		"From: Cronofy <cronofy@example.com>\r\nTo: organizer@myapplication.com\r\nSubject: " +
			"Accepted\r\nMIME-Version: 1.0\r\n" +
			header + "\r\n\r\n" + calendar,
	)
}

// replyText is a calendar of the fewest lines that RFC 5546 §3.2.3 asks for, and more on request.
func replyText(method, uid string, more ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nMETHOD:" + method +
		"\r\nBEGIN:VEVENT\r\nUID:" + uid +
		"\r\nDTSTAMP:20260401T120000Z\r\nORGANIZER:mailto:organizer@myapplication.com\r\n" + strings.Join(
		more,
		"\r\n",
	) +
		"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

// What comes from outside is read if sense can be made of it, and refused by name if not; what is
// refused changes nothing.
func TestReplyBadInput(t *testing.T) {
	t.Parallel()
	table := []struct {
		name string
		mail func(uid string) []byte
		want string // "" is accepted
	}{
		{"as it should be", func(u string) []byte { return wire(plain, replyText("REPLY", u, accepts)) }, ""},
		{"no ORGANIZER", func(u string) []byte {
			text := replyText("REPLY", u, accepts)
			return wire(plain, strings.Replace(text, "ORGANIZER:mailto:organizer@myapplication.com\r\n", "", 1))
		}, ""},
		{"names in any case", func(u string) []byte {
			return wire(plain, replyText("reply", u, "attendee;partstat=accepted:MAILTO:CRONOFY@example.com"))
		}, ""},
		{"bare address", func(u string) []byte {
			return wire(plain, replyText("REPLY", u, "ATTENDEE;PARTSTAT=ACCEPTED:cronofy@example.com"))
		}, ""},
		{"EMAIL of another kind of address", func(u string) []byte {
			return wire(
				plain,
				replyText("REPLY", u, `ATTENDEE;CN="a:b;c";EMAIL=cronofy@example.com;PARTSTAT=ACCEPTED:urn:uuid:1`),
			)
		}, ""},
		{"sent by an assistant", func(u string) []byte {
			return wire(
				plain,
				replyText(
					"REPLY",
					u,
					`ATTENDEE;SENT-BY="mailto:pa@example.com";PARTSTAT=ACCEPTED:mailto:cronofy@example.com`,
				),
			)
		}, ""},
		{"all attendees, the sender's counts", func(u string) []byte {
			return wire(plain, replyText("REPLY", u, "ATTENDEE;PARTSTAT=DECLINED:mailto:other@example.com", accepts))
		}, ""},
		{"bare LF, folded inside a character", func(u string) []byte {
			text := strings.ReplaceAll(replyText("REPLY", u, accepts, "COMMENT:Gr\xc3\r\n \xbc\xc3\x9fe"), "\r\n", "\n")
			return wire(plain, text)
		}, ""},
		{"method in the header only", func(u string) []byte {
			return wire(plain, strings.Replace(replyText("REPLY", u, accepts), "METHOD:REPLY\r\n", "", 1))
		}, ""},
		{"repeated component parameter", func(u string) []byte {
			return wire(
				"Content-Type: text/calendar; component=VEVENT; component=VTIMEZONE; method=REPLY",
				replyText("REPLY", u, accepts),
			)
		}, ""},
		{"attachment only", func(u string) []byte {
			return wire(
				"Content-Type: application/octet-stream; name=\"reply.ICS\"\r\nContent-Transfer-Encoding: base64",
				base64.StdEncoding.EncodeToString([]byte(replyText("REPLY", u, accepts))),
			)
		}, ""},
		{"multipart cut before its end", func(u string) []byte {
			return wire(
				"Content-Type: multipart/mixed; boundary=b",
				"--b\r\n"+plain+"\r\n\r\n"+replyText("REPLY", u, accepts),
			)
		}, ""},
		{"says base64 and is not", func(u string) []byte {
			return wire(
				"Content-Type: text/calendar; method=REPLY\r\nContent-Transfer-Encoding: base64",
				replyText("REPLY", u, accepts),
			)
		}, ""},
		{"is base64 and does not say so", func(u string) []byte {
			return wire("Content-Type: text/calendar; method=REPLY\r\nContent-Transfer-Encoding: 7bit",
				base64.StdEncoding.EncodeToString([]byte(replyText("REPLY", u, accepts))))
		}, ""},
		{"says quoted-printable and is base64", func(u string) []byte {
			return wire("Content-Type: text/calendar; method=REPLY\r\nContent-Transfer-Encoding: quoted-printable",
				base64.StdEncoding.EncodeToString([]byte(replyText("REPLY", u, accepts))))
		}, ""},
		{"says UTF-8 and is Latin 1", func(u string) []byte {
			return wire(plain, replyText("REPLY", u, accepts, "COMMENT:Gr\xfc\xdfe"))
		}, ""},
		{"UTF-16, as it says", func(u string) []byte {
			text := replyText("REPLY", u, accepts)
			var wide strings.Builder
			for i := range len(text) {
				wide.WriteString(text[i:i+1] + "\x00")
			}
			return wire(
				"Content-Type: text/calendar; charset=utf-16le; method=REPLY\r\nContent-Transfer-Encoding: base64",
				base64.StdEncoding.EncodeToString([]byte(wide.String())),
			)
		}, ""},
		{"UTF-16 that says UTF-8", func(u string) []byte {
			return wire("Content-Type: text/calendar; charset=utf-8; method=REPLY\r\nContent-Transfer-Encoding: base64",
				base64.StdEncoding.EncodeToString([]byte("B\x00E\x00G\x00I\x00N\x00")))
		}, "unreadable"},
		{"unknown charset", func(u string) []byte {
			return wire(
				"Content-Type: text/calendar; charset=klingon; method=REPLY",
				replyText("REPLY", u, accepts, "COMMENT:\xfc"),
			)
		}, ""},
		{
			"newer SEQUENCE",
			func(u string) []byte { return wire(plain, replyText("REPLY", u, accepts, "SEQUENCE:9")) },
			"",
		},

		{"nothing", func(string) []byte { return nil }, "unreadable"},
		{"no mail", func(string) []byte { return []byte("\x00\x01 what") }, "unreadable"},
		{"larger than it may be", func(u string) []byte {
			return append(wire(plain, replyText("REPLY", u, accepts)), make([]byte, 10<<20)...)
		}, "unreadable"},
		{
			"words only",
			func(string) []byte { return wire("Content-Type: text/plain", "I shall be there") },
			"no_calendar",
		},
		{
			"calendar as plain text",
			func(u string) []byte { return wire("Content-Type: text/plain", replyText("REPLY", u, accepts)) },
			"no_calendar",
		},
		{"nested without end", func(string) []byte {
			return wire(
				"Content-Type: multipart/mixed; boundary=b",
				strings.Repeat("--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", 5000),
			)
		}, "no_calendar"},
		{"noise that says base64", func(string) []byte {
			return wire(
				"Content-Type: text/calendar; method=REPLY\r\nContent-Transfer-Encoding: base64",
				strings.Repeat("\xff\x00=!", 1000),
			)
		}, "unreadable"},
		{"cut within the head", func(string) []byte { return wire(plain, "BEGIN:VCALEN") }, "unreadable"},
		{"components without end", func(u string) []byte {
			return wire(
				plain,
				"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n"+strings.Repeat("BEGIN:VEVENT\r\n", 100000)+"UID:"+u,
			)
		}, "other_uid"},
		{"REQUEST", func(u string) []byte { return wire(plain, replyText("REQUEST", u, accepts)) }, "not_a_reply"},
		{"CANCEL", func(u string) []byte { return wire(plain, replyText("CANCEL", u, accepts)) }, "not_a_reply"},
		{
			"another UID",
			func(string) []byte { return wire(plain, replyText("REPLY", "another", accepts)) },
			"other_uid",
		},
		{"no UID", func(string) []byte { return wire(plain, replyText("REPLY", "", accepts)) }, "other_uid"},
		{"no event", func(string) []byte {
			return wire(plain, "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n")
		}, "other_uid"},
		{
			"no attendee",
			func(u string) []byte { return wire(plain, replyText("REPLY", u, "SUMMARY:x")) },
			"no_attendee",
		},
		{"attendee without address", func(u string) []byte {
			return wire(plain, replyText("REPLY", u, "ATTENDEE;PARTSTAT=ACCEPTED:invalid:nomail"))
		}, "no_attendee"},
		{"no answer", func(u string) []byte {
			return wire(plain, replyText("REPLY", u, "ATTENDEE:mailto:cronofy@example.com"))
		}, "bad_status"},
		{"NEEDS-ACTION", func(u string) []byte {
			return wire(plain, replyText("REPLY", u, "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:cronofy@example.com"))
		}, "bad_status"},
		{"DELEGATED", func(u string) []byte {
			return wire(
				plain,
				replyText(
					"REPLY",
					u,
					`ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO="mailto:b@example.com":mailto:cronofy@example.com`,
				),
			)
		}, "bad_status"},
		{
			"SEQUENCE that is none",
			func(u string) []byte { return wire(plain, replyText("REPLY", u, accepts, "SEQUENCE:one")) },
			"unreadable",
		},
		{
			"negative SEQUENCE",
			func(u string) []byte { return wire(plain, replyText("REPLY", u, accepts, "SEQUENCE:-1")) },
			"outdated",
		},
		{
			"COUNTER without times",
			func(u string) []byte { return wire(plain, replyText("COUNTER", u, accepts)) },
			"bad_proposal",
		},
		{"COUNTER that ends first", func(u string) []byte {
			return wire(plain, replyText("COUNTER", u, accepts, "DTSTART:20260501T100000Z", "DTEND:20260501T090000Z"))
		}, "bad_proposal"},
		{"COUNTER in no zone on earth", func(u string) []byte {
			return wire(plain, replyText("COUNTER", u, accepts, "DTSTART;TZID=Mars:20260501T100000", "DURATION:PT1H"))
		}, "bad_proposal"},
	}
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, _ := replyServer(t, nil)
			before := s.Invites()
			err := s.Reply(t.Context(), row.mail(before[0].UID))
			if row.want == "" {
				require.NoError(t, err)
				assert.Equal(t, "accepted", s.Invites()[0].Recipients[0].Status)
				if c := s.Invites()[0].Recipients[0].Comment; strings.HasPrefix(c, "Gr") {
					assert.Equal(t, "Grüße", c)
				}
				return
			}
			require.ErrorContains(t, err, "reply is ignored ("+row.want+"): ")
			notAnswer := row.want == "no_calendar" || row.want == "not_a_reply"
			assert.Equal(t, notAnswer, errors.Is(err, cronofytest.ErrNotAnswer))
			assert.Equal(t, before, s.Invites())
			assert.NotContains(t, err.Error(), "example.com")
		})
	}
}
