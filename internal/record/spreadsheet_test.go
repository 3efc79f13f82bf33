package record

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A spreadsheet's own marks are read past: the columns that it leaves empty at the
// end, and the line that names its separator.
func TestSpreadsheetFiles(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty columns at the end":  "\ufeffsmart_invite_id,event.summary,,\r\na,x,,\r\nb,\"y, z\",,\r\n,,,\r\n",
		"fewer of them in a row":    "smart_invite_id,event.summary,,\na,x\nb,\"y, z\",,,,\n",
		"its separator":             "sep=,\r\nsmart_invite_id,event.summary\r\na,x\r\nb,\"y, z\"\r\n",
		"a separator that is other": "\ufeffsep=;\nsmart_invite_id;event.summary\na;x\nb;y, z\n",
		"blanks at the end":         "smart_invite_id,event.summary, ,\na,x,, \nb,\"y, z\",\u00a0\n \u200b,,\n",
		"a tab":                     "SEP=\t\nsmart_invite_id\tevent.summary\na\tx\nb\ty, z\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items := read(t, "a.csv", text, Options{})
			require.Len(t, items, 2)
			for _, item := range items {
				require.Nil(t, item.Err)
			}
			assert.Equal(t, "a", items[0].Invite.ID)
			assert.Equal(t, "x", items[0].Invite.Event.Summary)
			assert.Equal(t, "y, z", items[1].Invite.Event.Summary)
			assert.Equal(t, 1+2+strings.Count(strings.ToLower(text), "sep="), lineOf(items[1]))
		})
	}
	items := read(t, "a.csv", "smart_invite_id,,\na,,lost\n", Options{})
	require.Len(t, items, 1)
	require.NotNil(t, items[0].Err, "a cell without a name is not lost in silence")
	assert.Contains(t, items[0].Err.Message, "the row has 3 cells for 1 columns")
	items = read(t, "a.csv", "sep=,\n", Options{})
	require.Len(t, items, 1)
	require.NotNil(t, items[0].Err)
	items = read(t, "a.csv", "sep=x\na,b\n", Options{})
	require.Len(t, items, 1)
	require.NotNil(t, items[0].Err)
	assert.Equal(t, "sep=x", items[0].Err.Field)
}

// What a spreadsheet made of a text is not taken for it.
func TestSpreadsheetCells(t *testing.T) {
	t.Parallel()
	const formula = "is a formula of a spreadsheet; export what it shows, or leave out the = before it (line 2, column "
	const number = "was shortened by a spreadsheet, which takes it for a number; give that column the format Text and export it again (line 2, column 1)"
	const fault = "is what a spreadsheet shows in place of a value that it does not have; correct it there, and export it again (line 2, column "
	for _, test := range []struct{ row, field, message string }{
		{`"=""00123""",ann@example.com,x,`, "smart_invite_id", formula + "1)"},
		{`a,ann@example.com,"=cmd|' /C calc'!A0",`, "recipient.name", formula + "3)"},
		{`a,"=A2&""@example.com""",x,`, "recipient.email", formula + "2)"},
		{`a,ann@example.com,x,=HYPERLINK(A1)`, "event.description", formula + "4)"},
		{`1.23457E+12,ann@example.com,x,`, "smart_invite_id", number},
		{`1E+12,ann@example.com,x,`, "smart_invite_id", number},
		{`"1,23457E+12",ann@example.com,x,`, "smart_invite_id", number},
		{`1.2e+012,ann@example.com,x,`, "smart_invite_id", number},
		{`#N/A,ann@example.com,x,`, "smart_invite_id", fault + "1)"},
		{`a,ann@example.com,#NAME?,`, "recipient.name", fault + "3)"},
		{`a,ann@example.com,x,#####`, "event.description", fault + "4)"},
	} {
		items := read(t, "a.csv", "smart_invite_id,recipient.email,recipient.name,event.description\n"+test.row+"\n",
			Options{})
		require.Len(t, items, 1, test.row)
		require.NotNil(t, items[0].Err, test.row)
		assert.Equal(t, test.field, items[0].Err.Field, test.row)
		assert.Contains(t, items[0].Err.Message, test.message, test.row)
	}
	for _, row := range []string{
		"a,ann@example.com,x,== Agenda ==", "#1,ann@example.com,##,#Hashtag", "a,ann@example.com,-,= nothing",
		"1E5,ann@example.com,x,=", "1.5,ann@example.com,+49,x",
		"E+12,ann@example.com,@home,x", "x1E+12,ann@example.com,x,1.2E+12",
	} {
		items := read(t, "a.csv", "smart_invite_id,recipient.email,recipient.name,event.description\n"+row+"\n",
			Options{})
		require.Len(t, items, 1)
		assert.Nil(t, items[0].Err, row)
	}
}

// A blank after an id is no part of it, so that it names no second invite for the
// same person. What stood there is kept for who has it on record.
func TestBlanksAroundAnID(t *testing.T) {
	t.Parallel()
	items := read(t, "a.csv", "smart_invite_id,recipient.email\na,ann@example.com\na ,ann@example.com\n\u00a0b\t,ann@example.com\n \t,ann@example.com\n\ufeffc\u200b\u200e,ann@example.com\n", Options{})
	require.Len(t, items, 5)
	for i, want := range []struct{ id, written string }{{"a", ""}, {"a", "a "}, {"b", "\u00a0b\t"}, {"", " \t"},
		{"c", "\ufeffc\u200b\u200e"}} {
		require.Nil(t, items[i].Err)
		assert.Equal(t, want.id, items[i].Invite.ID)
		assert.Equal(t, want.written, items[i].Tag.(Source).ID)
	}
	assert.True(t, items[1].Repeats, "it is the first again")
	items = read(t, "a.jsonl", `{"smart_invite_id":"a ","recipient":{"email":"ann@example.com"}}`, Options{})
	assert.Equal(t, "a ", items[0].Invite.ID, "JSON says what it means; package mailer refuses it")
	assert.Empty(t, items[0].Tag.(Source).ID)
}

// Half a character is none: encoding/json would put another in its place.
func TestLoneSurrogates(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`\ud83d`, `\udf89`, `\ud83d x`, `\ud83d\n`, `\udf89\ud83d`, `\ud83d\ud83d\udf89`,
		`\uD83D`, `\ud83d\u0041`, `a\\\ud83d`} {
		for _, file := range []string{"a.jsonl", "a.json"} {
			items := read(t, file, `{"smart_invite_id":"a","event":{"summary":"`+text+`"}}`, Options{})
			require.Len(t, items, 1, text)
			require.NotNil(t, items[0].Err, text)
			assert.Contains(t, items[0].Err.Message, "is half a character (line 1, column ", text)
		}
		items := read(t, "a.jsonl", `{"smart_invite_id":"a","event":{"`+text+`":1}}`, Options{})
		require.NotNil(t, items[0].Err, "in a name, too: %s", text)
	}
	for _, text := range []string{`\ud83c\udf89`, `\\ud83d`, `\\\\udf89`, `\u0041`, `\ufffd`,
		`\uD83C\uDF89\ud83c\udf89`} {
		items := read(t, "a.jsonl", `{"smart_invite_id":"a","event":{"summary":"`+text+`"}}`, Options{})
		require.Len(t, items, 1)
		assert.Nil(t, items[0].Err, text)
	}
}
