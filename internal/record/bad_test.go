package record

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each mistake of a record is told with its field, line and column, and with
// what to do; what could be read is kept for the report.
func TestBadRecords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, field, message string }{
		{`{"smart_invite_id":17}`, "smart_invite_id",
			"is a number, not a string; put it in double quotes (line 1, column 20)"},
		{`{"smart_invite_id":true}`, "smart_invite_id", "is true or false, not a string"},
		{`{"method":["cancel"]}`, "method", "is an array, not a string"},
		{`{"Method":"cancel"}`, "Method", "is not a known name; did you mean method? (line 1, column 2)"},
		{`{"smartInviteId":"a"}`, "smartInviteId", "did you mean smart_invite_id?"},
		{`{"smart_invite_idd":"a"}`, "smart_invite_idd", "did you mean smart_invite_id?"},
		{`{"recpients":[]}`, "recpients", "did you mean recipients?"},
		{`{"summary":"x"}`, "summary", "did you mean event.summary?"},
		{`{"frobnicate":null}`, "frobnicate", "is not a known name (line 1, column 2)"},
		{`{"a","b"}`, "", "this is not JSON: invalid character ',' after object name (expecting ':') (line 1, column 5); fix it"},
		{`{"a":"é","b":}`, "", "(line 1, column 14)"},
		{`{"a":`, "", "this is not JSON: the record ends too early (line 1, column 6); complete it"},
		{"{\"a\":\"\x01\"}", "", `invalid character '\x01' in string (expecting non-control character) (line 1, column 7)`},
		{`{}{}`, "", "more follows the record (line 1, column 3); give each record a line of its own"},
		{`{} ]`, "", "more follows the record (line 1, column 4)"},
		{`"text"`, "", "the record is a string, not an object (line 1, column 1); write it in braces"},
		{`[{}]`, "", "the record is an array, not an object"},
		{`{"method":"request","method":"cancel"}`, "method",
			"is given twice; leave one of the two out (line 1, column 21)"},
		{`{"method":"request","m\u0065thod":"cancel"}`, "method", "is given twice"},
		{`{"recipient":"a@example.com"}`, "recipient",
			`is a string, not an object; write it as {"email": "name@example.com"}`},
		{`{"recipient":[{"email":"a@example.com"}]}`, "recipient",
			"is an array, not an object; for several people use recipients"},
		{`{"recipient":{"emial":"a@example.com"}}`, "recipient.emial",
			"did you mean recipient.email? (line 1, column 15)"},
		{`{"recipient":{"email":"a@example.com","email":"b@example.com"}}`, "recipient.email", "is given twice"},
		{`{"recipient":{"email":5}}`, "recipient.email", "is a number, not a string"},
		{`{"recipients":{"email":"a@example.com"}}`, "recipients", "is an object, not an array"},
		{`{"recipients":["a@example.com"]}`, "recipients[0]", "is a string, not an object"},
		{`{"recipients":[{"email":"a@example.com"},null]}`, "recipients[1]", "is null; name a recipient"},
		{`{"recipients":[{},{"nam":"a"}]}`, "recipients[1].nam", "did you mean recipients[1].name?"},
		{`{"recipient":{"email":"a@example.com"},"recipients":[]}`, "recipients",
			"stands beside recipient; give one of the two (line 1, column 40)"},
		{`{"organizer":"a@example.com"}`, "organizer", "is a string, not an object"},
		{`{"organizer":{"mail":"a@example.com"}}`, "organizer.mail", "did you mean organizer.email?"},
		{`{"event":[]}`, "event", "is an array, not an object"},
		{`{"event":{"summary":1}}`, "event.summary", "is a number, not a string"},
		{`{"method":"request","a":1,"method":"cancel"}`, "method", "(line 1, column 27); a: is not a known name"},
		{`{"event":{"x":1,"x":2}}`, "event.x", "is given twice"},
		{`{"event":{"x":{"y":[{"z":1,"z":2}]}}}`, "event.x.y[0].z",
			"is given twice; leave one of the two out (line 1, column 28)"},
		{`{"event":{"location":"Room 3"}}`, "event.location", "is a string, not an object"},
		{`{"event":{"location":{"lon":"1"}}}`, "event.location.lon", "did you mean event.location.long?"},
		{`{"event":{"location":{"lat":true}}}`, "event.location.lat", "is true or false, not a string"},
		{`{"event":{"reminders":30}}`, "event.reminders", "is a number, not an array"},
		{`{"event":{"reminders":[30]}}`, "event.reminders[0]", "is a number, not an object"},
		{`{"event":{"reminders":[{"minutes":"30"}]}}`, "event.reminders[0].minutes", "is not a whole number"},
		{`{"event":{"reminders":[{"minutes":5},{}]}}`, "event.reminders[1].minutes", "is missing"},
		{`{"event":{"reminders":[{"minuts":5}]}}`, "event.reminders[0].minuts",
			"did you mean event.reminders[0].minutes?"},
		{`{"event":{"event_private":"true"}}`, "event.event_private",
			"is a string; give true or false, without quotes"},
		{`{"event":{"start":20270429}}`, "event.start", "is a number; give a time such as"},
		{`{"event":{"start":{"tzid":"Europe/London"}}}`, "event.start.time", "is missing"},
		{`{"event":{"start":{"time":"2027-04-29T09:30:00Z","zone":"x"}}}`, "event.start.zone", "is not a known name"},
		{`{"event":{"start":{"time":1}}}`, "event.start.time", "is a number, not a string"},
		{`{"event":{"end":"tomorrow"}}`, "event.end", `"tomorrow" is no time; give one such as 2027-04-29T09:30:00Z`},
		{`{"event":{"end":""}}`, "event.end", `"" is no time`},
		{`{"event":{"end":"2027-02-29"}}`, "event.end", "is no time"},
		{`{"event":{"end":"2027-04-29T9:30:00","tzid":"Europe/London"}}`, "event.end", "is no time"},
		{`{"event":{"end":"2027-04-29T09:30:00"}}`, "event.end",
			"is a local time, and there is no event.tzid; add one such as Europe/London, or an offset such as Z or +02:00 (line 1, column 17)"},
		{`{"event":{"end":{"time":"2027-04-29T09:30"}}}`, "event.end", "there is no event.tzid"},
		{`{"event":{"end":"2027-04-29T09:30:00.250Z"}}`, "event.end",
			"has a fraction of a second, which the API refuses; give whole seconds"},
		{`{"event":{"end":"2027-04-29T09:30:00.5","tzid":"Europe/London"}}`, "event.end", "has a fraction of a second"},
		{`{"event":{"end":"2027-04-29T09:30:00","tzid":"Europe/Londn"}}`, "event.tzid",
			`"Europe/Londn" is no time zone; use an IANA name such as Europe/London (line 1, column 46)`},
		{`{"event":{"end":{"time":"2027-04-29T09:30:00","tzid":"Local"}}}`, "event.end.tzid",
			`"Local" is no time zone`},
		{`{"mail":"x"}`, "mail", "is a string, not an object"},
		{`{"mail":{"replyto":"a@example.com"}}`, "mail.replyto", "did you mean mail.reply_to?"},
		{`{"mail":{"data":[]}}`, "mail.data", "is an array, not an object"},
		{`{"mail":{"data":{"a":1,"b":{"c":1,"c":2}}}}`, "mail.data.b.c", "is given twice"},
		{`{"method":1,"smart_invite_id":2}`, "method", "(line 1, column 11); smart_invite_id: is a number"},
		{`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1}`, "a", "; and 2 more"},
		{`{"` + strings.Repeat("ö", 100) + `":1}`, strings.Repeat("ö", 30) + "…", "is not a known name"},
	} {
		items := read(t, "a.jsonl", test.in, Options{})
		require.Len(t, items, 1, test.in)
		require.NotNil(t, items[0].Err, test.in)
		assert.Equal(t, test.field, items[0].Err.Field, test.in)
		assert.Contains(t, items[0].Err.Message, test.message, test.in)
		assert.False(t, items[0].Err.Temporary)
	}
}

// What could be read of a wrong record names it in the report.
func TestBadRecordIsNamed(t *testing.T) {
	t.Parallel()
	items := read(t, "a.jsonl", `{"event":{"start":7},"smart_invite_id":"a","recipient":{"email":"a@example.com"}}
{"oops":1,"smart_invite_id":"b","recipients":[{"email":"a@example.com"},{"email":"b@example.com"}]}`, Options{})
	require.Len(t, items, 2)
	assert.Equal(t, "a", items[0].Invite.ID)
	assert.Equal(t, "a@example.com", items[0].Invite.Recipient.Email)
	assert.Equal(t, "b", items[1].Group.ID)
	assert.Len(t, items[1].Group.Recipients, 2)
}

// Broken JSON in line 3 of 5, and a line of 2 MiB, are one invalid record each.
func TestOtherLinesGoOn(t *testing.T) {
	t.Parallel()
	line := func(id string) string { return `{"smart_invite_id":"` + id + `"}` }
	for name, third := range map[string]string{
		"(line 3, column 22)": `{"smart_invite_id":3,}`,
		"longer than":         `{"smart_invite_id":"` + strings.Repeat("x", 2<<20) + `"}`,
		"is not UTF-8":        "{\"smart_invite_id\":\"\xff\"}",
	} {
		for _, end := range []string{"\n", "\r\n"} {
			items := read(t, "a.jsonl", strings.Join([]string{line("1"), line("2"), third, line("4"), line("5")}, end),
				Options{})
			require.Len(t, items, 5, name)
			for i, item := range items {
				assert.Equal(t, i+1, lineOf(item))
				if i != 2 {
					require.Nil(t, item.Err)
					assert.Equal(t, fmt.Sprint(i+1), item.Invite.ID)
				} else if assert.NotNil(t, item.Err) {
					assert.Contains(t, item.Err.Message, name)
				}
			}
		}
	}
}

// A record may have MaxRecord octets, and not one more, in any format.
func TestMaxRecord(t *testing.T) {
	t.Parallel()
	for _, over := range []int{0, 1} {
		const empty = `{"smart_invite_id":""}`
		object := `{"smart_invite_id":"` + strings.Repeat("x", MaxRecord-len(empty)+over) + `"}`
		for name, text := range map[string]string{
			"a.jsonl": object + "\r\n{}",
			"b.jsonl": "{}\n" + object,
			"a.json":  "[" + object + ",{}]",
			"b.json":  "[{}," + object + "]",
		} {
			items := read(t, name, text, Options{})
			require.Len(t, items, 2, name)
			wrong := 0
			for _, item := range items {
				if item.Err != nil {
					wrong++
					assert.Contains(t, item.Err.Message, "longer than 1048576 octets")
				}
			}
			assert.Equal(t, over, wrong, name)
		}
	}
}

// A record that is too long is read past, and those after it stand where they stand. A text without
// end is refused.
func TestTooLongRecordInArray(t *testing.T) {
	t.Parallel()
	long := `{"a":[` + strings.Repeat("{\"b\": [true,\n \"\u00e9é\", -1.5e3]},", MaxRecord/8) + `{}]}`
	lines := 1 + strings.Count(long, "\n")
	items := read(t, "a.json", `[{},`+long+`, "x", `+"\n\n"+`{"smart_invite_id":"a"}]`, Options{})
	require.Len(t, items, 4)
	assert.Contains(t, fate(items[1]), "longer than")
	assert.Equal(t, 1, lineOf(items[1]))
	assert.Contains(t, fate(items[2]), fmt.Sprintf("(line %d, column 23)", lines))
	assert.Equal(t, lines+2, lineOf(items[3]))

	items = read(t, "a.json", `[{},`+strings.TrimSuffix(long, "]}")+`oops]`, Options{})
	require.Len(t, items, 1)
	assert.Contains(t, fate(items[0]), "invalid character 'o'")
	assert.Equal(t, lines, lineOf(items[0]))

	in := &endless{text: strings.NewReader(`[{}, `), then: ' '}
	for item := range Read("a.json", in, Options{}) {
		assert.Contains(t, fate(item), "is longer than 64 MiB; write one record a line")
	}
	assert.Less(t, in.read, maxArray+2*MaxRecord)
}

// endless goes on with one octet for ever.
type endless struct {
	text *strings.Reader
	then byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.text.Read(p)
	if err != nil {
		for n = range p {
			p[n] = e.then
		}
		n = len(p)
	}
	e.read += n
	return n, nil
}

// A mistake in the syntax of an array is told with line and column, and nothing
// of the file is handed out.
func TestBrokenArray(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in      string
		line    int
		message string
	}{
		{"[\n{},\n{\"a\":,}\n]", 3, "(line 3, column 6); fix it; nothing of this file is sent"},
		{"[\n{}\n{}\n]", 3, "a comma is missing between two records (line 3, column 1); add it"},
		{"[{},]", 1, "no record follows the comma (line 1, column 4); leave it out"},
		{"[{},,{}]", 1, "no record follows the comma (line 1, column 5)"},
		{"[,{}]", 1, "invalid character ',' at start of value (line 1, column 2)"},
		{"[{}", 1, "the array is not closed with ] (line 1, column 4); is the file cut off?"},
		{"[", 1, "is not closed"},
		{"[{},\n", 2, "is not closed"},
		{"[{}]\nx", 2, "more follows the end of the array"},
		{"[{\"a\":\"é\n\"}]", 1, `invalid character '\n' in string (expecting non-control character) (line 1, column 9)`},
		{"[{},{\"a\":{]", 1, "(line 1, column 11)"},
		{"[{}}]", 1, "invalid character '}' after array element"},
		{"[{}, hello]", 1, "invalid character 'h' at start of value (line 1, column 6)"},
		{"[{} hello]", 1, "a comma is missing between two records (line 1, column 5)"},
		{"[{},\"\\x\"]", 1, "invalid escape sequence `\\x` in string (line 1, column 6)"},
		{"[}]", 1, "invalid character '}'"},
		{"[{}, nul]", 1, "in literal null (expecting 'l') (line 1, column 9)"},
		{"[{\"a\":\"" + strings.Repeat("x", 2<<20), 1, "is not closed"},
		{"[{\"a\":1, {\"b\":2},\n" + strings.Repeat("{},\n", 1<<19) + "{}]", 1, "(line 1, column 10)"},
		{"hello", 1, "invalid character 'h'"},
		{"{}\n{}", 2, "for several records write an array"},
	} {
		items := read(t, "a.json", test.in, Options{})
		require.Len(t, items, 1, short(test.in))
		require.NotNil(t, items[0].Err, short(test.in))
		assert.Equal(t, test.line, lineOf(items[0]), short(test.in))
		assert.Contains(t, items[0].Err.Message, test.message, short(test.in))
		assert.Contains(t, items[0].Err.Message, "nothing of this file is sent")
		assert.Nil(t, items[0].Invite)
	}
}

// What is no syntax is wrong by itself, with its line and column in the file.
func TestWrongElements(t *testing.T) {
	t.Parallel()
	items := read(t, "a.json", "[ 1,\n  {\"smart_invite_id\":\"a\"}, \"x\",\n  {\n    \"method\": 5\n  },\n null]",
		Options{})
	require.Len(t, items, 5)
	for i, want := range []string{"a number, not an object (line 1, column 3)", "",
		"a string, not an object (line 2, column 28)",
		"is a number, not a string; put it in double quotes (line 4, column 15)", "is null, not an object (line 6, column 2)"} {
		if want == "" {
			assert.Nil(t, items[i].Err)
		} else if assert.NotNil(t, items[i].Err) {
			assert.Contains(t, items[i].Err.Message, want)
		}
	}
	assert.Equal(t, 3, lineOf(items[3]))
}

// Names that are far from everything get no suggestion, near ones the nearest.
func TestSuggest(t *testing.T) {
	t.Parallel()
	for wrong, want := range map[string]string{
		"event.sumary":   "; did you mean event.summary?",
		"Event.Start":    "; did you mean event.start?",
		"recipient-mail": "; did you mean recipient.email?",
		"reply_to":       "; did you mean mail.reply_to?",
		"xyz":            "",
		"":               "",
		"evnet.end":      "; did you mean event.end?",
	} {
		assert.Equal(t, want, suggest(wrong, fields), wrong)
	}
}

// The name of a field may be anything that somebody wrote, and is shown.
func TestFieldsAreShownPlain(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a.jsonl": `{"\u001b[31m\u202e":1,"recipient":{"\u009b":1}}`,
		"a.csv":   "\x1b[31m\u202e,\u009b\na,b\n",
	} {
		items := read(t, name, text, Options{})
		require.Len(t, items, 1)
		require.NotNil(t, items[0].Err)
		assert.Equal(t, `\x1b[31m\u202e`, items[0].Err.Field)
		assert.Contains(t, items[0].Err.Message, `\u009b`)
		for _, c := range items[0].Err.Error() {
			assert.True(t, unicode.IsGraphic(c), "%q", c)
		}
	}
}
