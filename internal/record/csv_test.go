package record

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// Every column reaches its field; quoted cells may have commas, quotes and line
// ends, and the next row still knows its line.
func TestCSV(t *testing.T) {
	t.Parallel()
	text := "\ufeff" + strings.Join(append(fields, "mail.data.room", "mail.data.Größe"), ",") + "\r\n" +
		`cancel,id 1,https://example.com/cb,ä@example.com,"Example, Ada",de-AT,Europe/Vienna,` +
		"\"a\nb\",\"say \"\"yes\"\"\",2027-04-29T09:30,2027-04-29 10:30:00,Europe/Berlin,Room,52.5,-0.1,https://example.com,30 10,opaque,#fff," +
		"Org,org@example.org,Sub,tpl,reply@example.org,en,3.14,\r\n" +
		"\r\n" + strings.Repeat(",", len(fields)+1) + "\r\n" +
		",id 2" + strings.Repeat(",", len(fields)) + "\r\n"
	items := read(t, "a.csv", text, Options{})
	require.Len(t, items, 2)
	require.Nil(t, items[0].Err)
	assert.Equal(t, &mailer.Invite{
		ID: "id 1", Method: mailer.Cancel, CallbackURL: "https://example.com/cb",
		Recipient: mailer.Recipient{Email: "ä@example.com", Name: "Example, Ada", Locale: "de-AT",
			TZID: "Europe/Vienna"},
		Event: &cronofy.Event{Summary: "a\nb", Description: `say "yes"`, TZID: "Europe/Berlin",
			URL:   "https://example.com",
			Start: cronofy.EventTime{Time: time.Date(2027, 4, 29, 7, 30, 0, 0, time.UTC)},
			End:   cronofy.EventTime{Time: time.Date(2027, 4, 29, 8, 30, 0, 0, time.UTC)},
			Location: &cronofy.Location{Description: "Room", Lat: "52.5",
				Long: "-0.1"}, Transparency: "opaque", Color: "#fff",
			Reminders: []cronofy.Reminder{{Minutes: 30}, {Minutes: 10}}},
		Organizer: &mailer.Organizer{Name: "Org", Email: "org@example.org"},
		Mail: mailer.MailOptions{Subject: "Sub", Template: "tpl", ReplyTo: "reply@example.org", Locale: "en",
			Data: map[string]any{"room": "3.14"}},
	}, items[0].Invite)
	assert.Equal(t, 2, lineOf(items[0]))
	require.Nil(t, items[1].Err)
	assert.Equal(t, &mailer.Invite{ID: "id 2"}, items[1].Invite, "an empty cell is absent")
	assert.Equal(t, 6, lineOf(items[1]))
}

func TestCSVMethod(t *testing.T) {
	t.Parallel()
	items := read(t, "a.csv", "smart_invite_id,method\na,\nb,request\n", Options{Method: mailer.Cancel})
	require.Len(t, items, 2)
	assert.Equal(t, mailer.Cancel, items[0].Invite.Method)
	assert.Contains(t, items[1].Err.Error(), `read: method: is "request" where only "cancel" is wanted`)
	assert.Contains(t, items[1].Err.Message, "(line 3, column 2)")
}

// A header that is wrong makes the whole file wrong.
func TestBadHeader(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ header, field, message string }{
		{"smart_invite_id,event.sumary", "event.sumary",
			"is not a known column; did you mean event.summary? (line 1, column 2); nothing of this file is sent"},
		{"smart_invite_id,method,smart_invite_id", "smart_invite_id",
			"is a column twice; leave one of the two out (line 1, column 3)"},
		{"smart_invite_id,recipient", "recipient", "is not a known column"},
		{"smart_invite_id,,method", "", "has no name; give it one, or remove the column (line 1, column 2)"},
		{",,", "", "has no name"},
		{"smart_invite_id,mail.data.", "mail.data.", "is not a known column"},
		{"smart_invite_id,mail.data.a.b", "mail.data.a.b", "is not a known column"},
		{"smart_invite_id,email", "email", "did you mean recipient.email?"},
		{"smart_invite_id;recipient.email", "smart_invite_id;recipient.email",
			"is one column; separate the columns by commas"},
		{"Smart_Invite_ID", "Smart_Invite_ID", "did you mean smart_invite_id?"},
		{"a,b\"c", "", "a quote stands inside a cell (line 1, character 4)"},
	} {
		items := read(t, "a.csv", test.header+"\na,b\nc,d\n", Options{})
		require.Len(t, items, 1, test.header)
		require.NotNil(t, items[0].Err, test.header)
		assert.Equal(t, 1, lineOf(items[0]))
		assert.Equal(t, test.field, items[0].Err.Field, test.header)
		assert.Contains(t, items[0].Err.Message, test.message, test.header)
	}
}

// A row that is wrong is one item, and the next ones go on.
func TestBadRows(t *testing.T) {
	t.Parallel()
	const header = "smart_invite_id,recipient.email,event.start,event.tzid,event.reminders\n"
	const good = "good,a@example.com,,,\n"
	for _, test := range []struct{ row, field, message string }{
		{"bad,b@example.com\n", "event.start",
			"is missing: the row has 2 of 5 cells; add the others, or commas for empty ones (line 3, column 3)"},
		{"bad,b@example.com,,,,,x\n", "event.reminders",
			"the row has 7 cells for 5 columns; put a cell that has a comma in quotes (line 3, column 5)"},
		{"bad,b@example.com,2027-03-28T02:30,Europe/Berlin,\n", "event.start",
			"2027-03-28T02:30:00 is not shown by the clocks in Europe/Berlin"},
		{"bad,b@example.com,2027-03-28T02:30,,\n", "event.start",
			"there is no event.tzid; add one such as Europe/London, or an offset such as Z or +02:00 (line 3, column 3)"},
		{"bad,b@example.com,2027-03-28T02:30,CET+1,\n", "event.tzid",
			`"CET+1" is no time zone; use an IANA name such as Europe/London (line 3, column 4)`},
		{"bad,b@example.com,4/29/2027,,\n", "event.start", `"4/29/2027" is no time`},
		{"bad,b@example.com,,,10 x\n", "event.reminders",
			"is not a list of minutes; write them with spaces between, such as 30 10 (line 3, column 5)"},
		{"bad,b@example.com,\xe4,,\n", "event.start", "is not UTF-8; save the file as CSV in UTF-8 (line 3, column 3)"},
	} {
		items := read(t, "a.csv", header+good+test.row+"good 2,a@example.com,,,\n", Options{})
		require.Len(t, items, 3, test.row)
		require.NotNil(t, items[1].Err, test.row)
		assert.Equal(t, 3, lineOf(items[1]))
		assert.Equal(t, test.field, items[1].Err.Field, test.row)
		assert.Contains(t, items[1].Err.Message, test.message, test.row)
		assert.Equal(t, "bad", items[1].Invite.ID)
		assert.Equal(t, "b@example.com", items[1].Invite.Recipient.Email)
		assert.Nil(t, items[2].Err, test.row)
	}
}

// After a stray quote nobody knows where a row begins: the file ends there, and
// says so.
func TestStrayQuote(t *testing.T) {
	t.Parallel()
	const header = "smart_invite_id,event.summary\n"
	for _, test := range []struct{ row, message string }{
		{"b,say \"x\n", `a quote stands inside a cell (line 3, character 7); write "" for a quote, and put the whole cell in quotes; what follows in this file was not read`},
		{"b,\"say \"x\"\n", `a quoted cell does not end with its quote (line 3, character 8)`},
		{"b,\"never\nclosed\n", `a quoted cell does not end with its quote (line 5, character 5, in the row that begins in line 3)`},
		{"b,\"" + strings.Repeat("never closed\n", 200_000),
			"the row that begins here is longer than 1048576 octets (line 3); what follows in this file was not read"},
	} {
		items := read(t, "a.csv", header+"a,x\n"+test.row+"c,x\n", Options{})
		require.Len(t, items, 2, short(test.row))
		assert.Nil(t, items[0].Err)
		require.NotNil(t, items[1].Err, short(test.row))
		assert.Equal(t, 3, lineOf(items[1]))
		assert.Contains(t, items[1].Err.Message, test.message, short(test.row))
	}
}

// A row with a line end in a cell does not shift the lines of those after it.
func TestLongRow(t *testing.T) {
	t.Parallel()
	long := "x,\"" + strings.Repeat("y", MaxRecord) + "\"\n"
	items := read(t, "a.csv", "smart_invite_id,event.summary\n\"a\nb\",\n"+long+"c,z\n", Options{})
	require.Len(t, items, 3)
	assert.Nil(t, items[0].Err)
	require.NotNil(t, items[1].Err)
	assert.Contains(t, items[1].Err.Message, "longer than 1048576 octets")
	assert.Equal(t, 4, lineOf(items[1]))
	assert.Nil(t, items[2].Err, "a row that is a little too long does not end the file")
	assert.Equal(t, 5, lineOf(items[2]))
}
