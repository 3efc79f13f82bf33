package lint_test

import (
	"slices"
	"strings"
	"testing"
)

// breaches are the good messages broken on purpose, at least one for each rule.
func breaches() []breach {
	return slices.Concat(treeBreaches, partBreaches, encodingBreaches, calendarBreaches,
		textBreaches, eventBreaches, timeBreaches,
		peopleBreaches, seriesBreaches, headerBreaches, sendingBreaches, contentBreaches)
}

// ics keeps the calendar alone.
func ics(t *testing.T, s string) string {
	t.Helper()
	begin, end := strings.Index(s, "BEGIN:VCALENDAR"), strings.Index(s, "\r\n--inner-4c1a--")
	return s[begin:end]
}

// cut removes everything from the first of the two texts up to the second.
func cut(from, to string) edit {
	return func(t *testing.T, s string) string {
		t.Helper()
		i := strings.Index(s, crlf(from))
		j := strings.Index(s[i:], crlf(to))
		if i < 0 || j < 0 {
			t.Fatalf("%q or %q is not there", from, to)
		}
		return s[:i] + s[i+j:]
	}
}

// The parts of the good messages, for moving them about.
const (
	htmlPart = "--inner-4c1a\nContent-Type: text/html; charset=UTF-8\nContent-Transfer-Encoding: quoted-printable\n\n"
	icsPart  = "--outer-9d2f\nContent-Type: application/ics; " +
		"name=\"invite.ics\"\nContent-Disposition: attachment; filename=\"invite.ics\"\n"
	image = "Content-Type: image/png\nContent-ID: <logo@example.com>\n" +
		"Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n\n"
)

var treeBreaches = []breach{
	{
		rule: "IM00", name: "nothing", edit: func(*testing.T, string) string { return " \r\n" },
		want: "IM00 error", any: "IM00 error", where: "message",
	},
	{
		rule: "IM00", name: "an image", edit: func(*testing.T, string) string { return "\x89PNG\r\n\x1a\n\x00\x00" },
		want: "IM00 error",
	},
	{
		rule: "IM00", name: "base64 alone", edit: func(*testing.T, string) string { return "QkVHSU46VkNBTEVOREFS" },
		want: "IM00 error",
	},
	{
		rule: "IM01", name: "no method parameter", edit: change("; method=REQUEST\n", "\n"),
		want: "IM01 error", any: "IM01 error", where: "part 1.3",
	},
	{
		rule: "IM01", name: "no calendar in the alternative",
		edit: cut("--inner-4c1a\nContent-Type: text/calendar", "--inner-4c1a--"),
		want: "IM01 error", where: "message",
	},
	{
		rule: "IM01", name: "two calendars",
		edit: change(icsPart, "--outer-9d2f\nContent-Type: text/calendar; charset=UTF-8; "+
			"method=REQUEST\n\nBEGIN:VCALENDAR\n\n"+icsPart),
		want: "IM01 error, IM02 error", where: "part 2",
	},
	{
		rule: "IM02", name: "the calendar beside the alternative",
		edit: change("--inner-4c1a\nContent-Type: text/calendar",
			"--inner-4c1a--\n\n--outer-9d2f\nContent-Type: text/calendar",
			"\n--inner-4c1a--\n\n--outer-9d2f\nContent-Type: application", "\n--outer-9d2f\nContent-Type: application"),
		want: "IM02 error", any: "IM02 error", where: "part 2",
	},
	{
		rule: "IM03", name: "related in place of mixed", edit: change("multipart/mixed", "multipart/related"),
		want: "IM03 warning, IM07 warning", any: "IM03 warning, IM07 warning",
	},
	{
		rule: "IM04", name: "HTML before the plain text", edit: change("text/plain", "text/x",
			"text/html", "text/plain", "text/x", "text/html"),
		want: "IM04 error",
	},
	{
		rule: "IM04", name: "a part behind the calendar",
		edit: change("\n--inner-4c1a--", "\n--inner-4c1a\nContent-Type: text/x-watch-html\n\nx\n--inner-4c1a--"),
		want: "IM04 error", any: "IM04 error", where: "part 1.3",
	},
	{
		rule: "IM05", name: "no plain text", edit: cut("--inner-4c1a\nContent-Type: text/plain",
			"--inner-4c1a\nContent-Type: text/html"),
		want: "IM05 error", any: "IM05 warning",
	},
	{
		rule: "IM05", name: "a blank plain text", edit: cut("Jane Doe invites",
			"\n--inner-4c1a\nContent-Type: text/html"),
		want: "IM05 error", where: "part 1.1",
	},
	{
		rule: "IM06", name: "no HTML", edit: cut("--inner-4c1a\nContent-Type: text/html",
			"--inner-4c1a\nContent-Type: text/calendar"),
		want: "IM06 warning", any: "IM06 warning",
	},
	{
		rule: "IM06", name: "HTML that says nothing", edit: both(
			cut("<p>Jane", "</body>"), change("</body>", "<p>&nbsp;<!-- nothing --></p></body>")),
		want: "IM06 warning",
	},
	{
		rule: "IM07", name: "no attachment", edit: cut(icsPart, "--outer-9d2f--"),
		want: "IM07 warning", any: "IM07 warning",
	},
	{
		rule: "IM07", name: "attached twice", edit: func(t *testing.T, s string) string {
			i, j := strings.Index(s, crlf(icsPart)), strings.Index(s, "--outer-9d2f--")
			return s[:j] + s[i:j] + s[j:]
		},
		want: "IM07 warning", where: "part 3",
	},
	{
		rule: "IM08", name: "another calendar in the attachment", edit: func(t *testing.T, s string) string {
			return attachment(t, s, strings.Replace(ics(t, s), "Board room", "Canteen", 1))
		},
		want: "IM08 error", any: "IM08 error", where: "line 32 of part 2",
	},
	{
		rule: "IM08", name: "other line ends in the attachment", edit: func(t *testing.T, s string) string {
			return attachment(t, s, strings.ReplaceAll(ics(t, s), "\r\n", "\n"))
		},
		want: "IM08 error", any: "clean",
	},
	{
		rule: "IM11", name: "an image that is not there", edit: change("</h1>",
			"</h1><img src=3D\"cid:logo@example.com\">"),
		want: "IM11 error", any: "IM11 error", where: "part 1.2",
	},
	{
		rule: "IM11", name: "an image outside of the related",
		edit: change("</h1>", "</h1><img src=3D\"cid:logo@example.com\">",
			icsPart, "--outer-9d2f\n"+image+icsPart),
		want: "IM11 error, IM12 warning",
	},
	{
		rule: "IM11", name: "an image that nobody shows", edit: change(htmlPart,
			"--inner-4c1a\nContent-Type: multipart/related; boundary=\"third\"\n\n"+
				"--third\nContent-Type: text/html; charset=UTF-8\nContent-Transfer-Encoding: quoted-printable\n\n",
			"</html>\n\n", "</html>\n\n--third\n"+image+"--third--\n"),
		want: "IM11 error", any: "IM11 warning", where: "part 1.2.2",
	},
	{
		rule: "IM12", name: "an agenda", edit: change(icsPart,
			"--outer-9d2f\nContent-Type: application/pdf\n\n%PDF\n"+icsPart),
		want: "IM12 warning", any: "IM12 warning",
	},
}

var partBreaches = []breach{
	{
		rule: "IM14", name: "component twice", edit: change("method=REQUEST",
			"method=REQUEST;\n component=VEVENT; component=VTIMEZONE"),
		want: "IM14 error, IM18 warning", any: "IM14 error, IM18 warning", where: "header Content-Type of part 1.3",
	},
	{
		rule: "IM14", name: "Content-Type twice", edit: change("Content-Type: text/html",
			"Content-Type: text/html\nContent-Type: text/html"),
		want: "IM14 error",
	},
	{
		rule: "IM15", name: "another method", edit: change("method=REQUEST", "method=CANCEL"),
		want: "IM15 error", any: "IM15 error", where: "header Content-Type of part 1.3",
	},
	{
		rule: "IM16", name: "lower case", edit: change("method=REQUEST", "method=request"),
		want: "IM16 error", any: "IM16 warning",
	},
	{
		rule: "IM17", name: "no charset", edit: change("text/calendar; charset=UTF-8;", "text/calendar;"),
		want: "IM17 error", any: "IM17 warning",
	},
	{
		rule: "IM17", name: "another charset over UTF-8",
		edit: both(change("text/calendar; charset=UTF-8;", "text/calendar; charset=iso-8859-1;",
			"method=REQUEST\nContent-Transfer-Encoding: 7bit", "method=REQUEST\nContent-Transfer-Encoding: 8bit"),
			inCalendar("LOCATION:Board room", "LOCATION:Board room\\, Zoë"), change("Board room", "Board room, Zoe")),
		want: "IM17 error, IM24 warning, IM74 warning", any: "IM17 error, IM24 warning",
	},
	{
		rule: "IM18", name: "component", edit: change("method=REQUEST", "method=REQUEST; component=VEVENT"),
		want: "IM18 warning",
	},
	{
		rule: "IM18", name: "another component", edit: change("method=REQUEST", "method=REQUEST; component=VTODO"),
		want: "IM18 error", any: "IM18 error",
	},
	{
		rule: "IM20", name: "an attachment", edit: change("method=REQUEST\n",
			"method=REQUEST\nContent-Disposition: attachment\n"),
		want: "IM20 error", any: "IM20 error",
	},
	{
		rule: "IM21", name: "an inline part with a name and an ID",
		edit: change("method=REQUEST\n", "method=REQUEST; name=invite.ics\nContent-ID: "+
			"<a@b>\nContent-Disposition: inline\n"),
		want: "IM21 warning", any: "IM21 warning", where: "header Content-ID of part 1.3",
	},
	{
		rule: "IM25", name: "inline", edit: change("Content-Disposition: attachment", "Content-Disposition: inline"),
		want: "IM25 error", any: "IM25 warning",
	},
	{
		rule: "IM25", name: "another name", edit: change(`filename="invite.ics"`, `filename="invite.txt"`),
		want: "IM25 error",
	},
	{
		rule: "IM25", name: "not base64", edit: func(t *testing.T, s string) string {
			i, j := strings.Index(s, "Content-Transfer-Encoding: base64"), strings.Index(s, "\r\n--outer-9d2f--")
			return s[:i] + "Content-Transfer-Encoding: 7bit\r\n\r\n" + ics(t, s) + s[j:]
		},
		want: "IM25 error",
	},
	{
		rule: "IM26", name: "another method", edit: change("application/ics;", "application/ics; method=CANCEL;"),
		want: "IM26 error", any: "IM26 error",
	},
	{
		rule: "IM27", name: "a path", edit: change(`name="invite.ics"`, `name="../invite.ics"`),
		want: "IM27 warning", any: "IM27 warning",
	},
	{
		rule: "IM27", name: "no plain name", edit: change(`filename="invite.ics"`, `filename*=utf-8''invit%C3%A9.ics`),
		want: "IM27 warning",
	},
}

var encodingBreaches = []breach{
	{
		rule: "IM09", name: "cut off", edit: change("\n--outer-9d2f--\n", ""),
		want: "IM09 error", any: "IM09 error", where: "message",
	},
	{
		rule: "IM09", name: "another boundary", edit: change(`boundary="inner-4c1a"`, `boundary="inner"`),
		want: "IM01 error, IM05 error, IM06 warning, IM09 error",
	},
	{
		rule: "IM09", name: "one boundary begins the other", edit: func(_ *testing.T, s string) string {
			return strings.ReplaceAll(s, "inner-4c1a", "outer-9d2f-1")
		},
		want: "IM09 error",
	},
	{
		rule: "IM09", name: "too long", edit: func(_ *testing.T, s string) string {
			return strings.ReplaceAll(s, "inner-4c1a", strings.Repeat("i", 71))
		},
		want: "IM09 error",
	},
	{
		rule: "IM10", name: "an encoded multipart", edit: change(`boundary="inner-4c1a"`,
			"boundary=\"inner-4c1a\"\nContent-Transfer-Encoding: base64"),
		want: "IM10 error", any: "IM10 error", where: "part 1",
	},
	{
		rule: "IM22", name: "8bit under 7bit", edit: change("To answer, use", "To answër, use"),
		want: "IM22 error", any: "IM22 error", where: "line 10 of part 1.1",
	},
	{
		rule: "IM22", name: "not quoted-printable", edit: change("lang=3D", "lang="),
		want: "IM22 error",
	},
	{
		rule: "IM22", name: "no such encoding", edit: change("quoted-printable", "qp"),
		want: "IM22 error, IM77 warning",
	},
	{
		rule: "IM22", name: "not base64", edit: change("QkVHSU46", "QkVH!U46"),
		want: "IM08 error, IM22 error, IM23 error",
	},
	{
		rule: "IM23", name: "base64 twice", edit: func(t *testing.T, s string) string {
			return attachment(t, s, "QkVHSU46VkNBTEVOREFS")
		},
		want: "IM08 error, IM23 error", any: "IM08 error, IM23 error", where: "part 2",
	},
	{
		rule: "IM23", name: "a byte order mark",
		edit: both(change("method=REQUEST\nContent-Transfer-Encoding: 7bit",
			"method=REQUEST\nContent-Transfer-Encoding: 8bit"),
			func(t *testing.T, s string) string {
				s = strings.Replace(s, "BEGIN:VCALENDAR", "\uFEFFBEGIN:VCALENDAR", 1)
				return attachment(t, s, "\uFEFF"+ics(t, s))
			}),
		want: "IM23 error, IM24 warning", where: "part 1.3",
	},
	{
		rule: "IM24", name: "8bit", edit: change("method=REQUEST\nContent-Transfer-Encoding: 7bit",
			"method=REQUEST\nContent-Transfer-Encoding: 8bit"),
		want: "IM24 warning", any: "IM24 warning",
	},
	{
		rule: "IM24", name: "8bit and signed",
		edit: both(change("method=REQUEST\nContent-Transfer-Encoding: 7bit",
			"method=REQUEST\nContent-Transfer-Encoding: 8bit",
			"Date:", "DKIM-Signature: v=1; h=from:to:subject:date:\n message-id:mime-version:content-type\nDate:"),
			inCalendar("CN=Jane", "CN=Zoë")),
		want: "IM24 error", any: "IM24 warning",
	},
}
