package lint_test

import (
	"strings"
	"testing"
)

var headerBreaches = []breach{
	{
		rule: "IM58", name: "no Message-ID", edit: change("Message-ID: <first@example.com>\n", ""),
		want: "IM58 error", any: "IM58 warning", where: "header Message-ID",
	},
	{
		rule: "IM58", name: "two From", edit: change("From:", "From: bob@example.com\nFrom:"),
		want: "IM58 error, IM63 warning, IM65 error", any: "IM58 error, IM65 error",
	},
	{
		rule: "IM58", name: "a field that came in with a name", edit: change("Subject:", "X-Injected: yes\nSubject:"),
		want: "IM58 error", any: "clean",
	},
	{
		rule: "IM58", name: "a line that is no field", edit: change("Subject:", "and so on\nSubject:"),
		want: "IM58 error",
	},
	{
		rule: "IM58", name: "a CR in the subject", edit: func(_ *testing.T, s string) string {
			return strings.Replace(s, "Invitation: ", "Invitation:\r Bcc: x ", 1)
		},
		want: "IM58 error, IM60 error, IM78 error",
	},
	{
		rule: "IM58", name: "no address", edit: change("<ada@example.org>\nContent", "Lovelace\nContent"),
		want: "IM58 error",
	},
	{
		rule: "IM59", name: "not encoded", edit: change("Jane Doe\" <", "Zoë Doe\" <"),
		want: "IM59 error", any: "IM59 warning", where: "header From",
	},
	{
		rule: "IM59", name: "a long line", edit: change("Invitation: Board meeting",
			"Invitation: Board meeting"+strings.Repeat(" and more", 12)),
		want: "IM59 warning", any: "clean",
	},
	{
		rule: "IM59", name: "an endless line", edit: change("Invitation: Board meeting",
			"Invitation: Board meeting "+strings.Repeat("x", 1000)),
		want: "IM59 error", any: "IM59 error",
	},
	{
		rule: "IM59", name: "half a character", edit: change("Invitation: Board meeting",
			"Invitation: Board meeting =?utf-8?q?Zo=C3?= =?utf-8?q?=AB?="),
		want: "IM59 error",
	},
	{
		rule: "IM60", name: "turned around", edit: change("Invitation: Board meeting",
			"Invitation: Board meeting =?utf-8?b?4oCu?="),
		want: "IM60 error", any: "IM60 warning",
	},
	{
		rule: "IM60", name: "a line break in a name", edit: change("\"Jane Doe\" <", "=?utf-8?q?Jane=0D=0A_Doe?= <"),
		want: "IM60 error", any: "IM60 error",
	},
	{
		rule: "IM61", name: "another address in the name", edit: change("\"Jane Doe\" <", "\"ceo@bank.example\" <"),
		want: "IM61 warning", any: "IM61 warning",
	},
	{
		rule: "IM72", name: "a local part beyond ASCII",
		edit: both(change("<ada@example.org>", "<zoë@example.org>"),
			inCalendar("ada@example.org", "zo%C3%AB@example.org")),
		want: "IM72 error", any: "IM72 warning",
	},
	{
		rule: "IM72", name: "a domain as people write it",
		edit: both(change("<ada@example.org>", "<ada@bücher.example>"),
			inCalendar("ada@example.org", "ada@xn--bcher-kva.example")),
		want: "IM72 error",
	},
	{
		rule: "IM78", name: "a bare LF", edit: func(_ *testing.T, s string) string {
			return strings.Replace(s, "Board meeting\r\n\r\nWhen", "Board meeting\n\r\nWhen", 1)
		},
		want: "IM78 error", any: "IM78 error", where: "line 19",
	},
	{
		rule: "IM78", name: "From at the beginning", edit: change("Where:      Board room",
			"From 9 on\nWhere:      Board room"),
		want: "IM78 error", any: "IM78 warning", where: "part 1.1",
	},
}

var sendingBreaches = []breach{
	{
		rule: "IM63", name: "from somebody else", edit: change("<jane@example.com>\nMIME",
			"<noreply@example.com>\nMIME"),
		want: "IM63 warning", any: "clean",
	},
	{
		rule: "IM64", name: "two recipients", edit: change("<ada@example.org>", "<ada@example.org>, bob@example.org"),
		want: "IM64 error", any: "clean",
	},
	{
		rule: "IM64", name: "a copy", edit: change("Subject:", "Bcc: bob@example.org\nSubject:"),
		want: "IM64 error",
	},
	{
		rule: "IM65", name: "the From again", edit: change("Subject:", "Sender: jane@example.com\nSubject:"),
		want: "IM65 warning", any: "IM65 warning",
	},
	{
		rule: "IM65", name: "of another domain", edit: change("Subject:", "Sender: calendar@example.net\nSubject:"),
		want: "IM65 warning", any: "clean",
	},
	{
		rule: "IM67", name: "none", edit: change("Auto-Submitted: auto-generated\n", ""),
		want: "IM67 warning", any: "clean",
	},
	{
		rule: "IM68", name: "bulk", edit: change("Subject:", "Precedence: bulk\nSubject:"),
		want: "IM68 warning", any: "IM68 warning",
	},
	{
		rule: "IM68", name: "everything suppressed", edit: change("Subject:",
			"X-Auto-Response-Suppress: All\nSubject:"),
		want: "IM68 warning",
	},
	{
		rule: "IM69", name: "one click without https", edit: change("Subject:",
			"List-Unsubscribe: <mailto:x@example.com>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\nSubject:"),
		want: "IM69 error, IM69 warning", any: "IM69 error",
	},
	{
		rule: "IM79", name: "Reply-To not signed", edit: change("Date:",
			"DKIM-Signature: v=1; h=from:to:subject:date:\n message-id:mime-version:content-type\n"+
				"Reply-To: bob@example.com\nDate:"),
		want: "IM79 warning", any: "IM79 warning",
	},
	{
		rule: "IM79", name: "half of the body",
		edit: change("Date:", "DKIM-Signature: v=1; h=from:to:subject:date:\n "+
			"message-id:mime-version:content-type; l=9\nDate:"),
		want: "IM79 warning",
	},
}

var contentBreaches = []breach{
	{
		rule: "IM74", name: "no place in the text", edit: change("Where:      Board room\n", ""),
		want: "IM74 warning", any: "clean", where: "part 1.1",
	},
	{
		rule: "IM74", name: "no organizer in the HTML",
		edit: change("<p>Jane Doe invites you to an event.</p>", "<p>You are invited.</p>",
			"<p>Jane Doe &lt;jane@example.com&gt;</p>", ""),
		want: "IM74 warning", where: "part 1.2",
	},
	{
		rule: "IM74", name: "no zone", edit: change(" (Europe/London)", "", " (Europe/London)", ""),
		want: "IM74 warning",
	},
	{
		rule: "IM74", name: "an answer to a cancellation", from: "good-cancel.eml",
		edit: change("<h1>", "<a href=3D\"https://example.com/rsvp\">Accept</a><h1>"),
		want: "IM74 warning",
	},
	{
		rule: "IM74", name: "a cancellation that does not say so", from: "good-cancel.eml",
		edit: change("Cancelled: this event does not take place.\n\n    Board", "Hello.\n\n    Board"),
		want: "IM74 warning", where: "part 1.1",
	},
	{
		rule: "IM75", name: "an hour off", edit: change("09:30 - 10:00", "08:30 - 09:00"),
		want: "IM75 warning", any: "clean", where: "part 1.1",
	},
	{
		rule: "IM75", name: "UTC, told by other clocks without their offset",
		edit: change("DTSTART;TZID=Europe/London:20270429T093000", "DTSTART:20270429T083000Z"),
		want: "IM08 error, IM75 warning",
	},
	{
		rule: "IM75", name: "a day off", edit: change("29 April", "28 April"),
		want: "IM75 warning",
	},
	{
		rule: "IM76", name: "no title", edit: change("Subject: Invitation: Board meeting", "Subject: Invitation"),
		want: "IM76 warning", any: "clean", where: "header Subject",
	},
	{
		rule: "IM76", name: "an invitation to a cancellation", from: "good-cancel.eml",
		edit: change("Subject: Cancelled", "Subject: Invitation"),
		want: "IM76 warning",
	},
	{
		rule: "IM76", name: "an update that is none", edit: change("Subject: Invitation",
			"Subject: Updated invitation"),
		want: "IM76 warning",
	},
	{
		rule: "IM76", name: "an update that does not say so", from: "good-update.eml",
		prev: "good.eml", edit: change("Subject: Updated invitation", "Subject: Invitation"),
		want: "IM76 warning",
	},
	{
		rule: "IM77", name: "a script", edit: change("<h1>", "<script>x</script><h1>"),
		want: "IM77 warning", any: "IM77 warning", where: "part 1.2",
	},
	{
		rule: "IM77", name: "a link that is none", edit: change("<h1>", "<a href=3D\"javascript:x\">x</a><h1>"),
		want: "IM77 warning",
	},
	{
		rule: "IM77", name: "long", edit: change("<h1>",
			strings.Repeat("<p>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx</p>\n", 2000)+"<h1>"),
		want: "IM77 warning",
	},
}
