package record

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
)

// read collects all items of a text.
func read(t testing.TB, name, text string, o Options) []mailer.Item {
	t.Helper()
	var items []mailer.Item
	for item := range Read(name, strings.NewReader(text), o) {
		items = append(items, item)
		require.IsType(t, Source{}, item.Tag)
		require.Equal(t, name, item.Tag.(Source).File)
		require.True(t, item.Err != nil || (item.Invite == nil) != (item.Group == nil),
			"neither an invite nor a reason")
	}
	return items
}

func lineOf(item mailer.Item) int { return item.Tag.(Source).Line }

// unseekable hides that a reader can seek, as a pipe does.
func unseekable(r io.Reader) io.Reader { return struct{ io.Reader }{r} }

// Every sample input is read without a complaint, and the documented request is
// among them as it stands.
func TestSamples(t *testing.T) {
	t.Parallel()
	const dir = "../../testdata/invites/"
	for name, lines := range map[string][]int{
		"board-meeting.json":      {1},
		"documented-example.json": {1},
		"interviews.jsonl":        {1, 2, 3},
		"offsite.json":            {2, 19},
		"team.csv":                {2, 3, 4},
		"cancel.json":             {1},
	} {
		var got []int
		for item := range Files([]string{dir + name}, nil, Options{}) {
			require.Nil(t, item.Err, name)
			assert.False(t, item.Repeats)
			assert.Equal(t, dir+name, item.Tag.(Source).File)
			got = append(got, lineOf(item))
		}
		assert.Equal(t, lines, got, name)
	}
}

func TestDocumentedRequest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../testdata/invites/documented-example.json")
	require.NoError(t, err)
	items := read(t, "a.json", string(text), Options{})
	require.Len(t, items, 1)
	assert.Equal(t, &mailer.Invite{
		ID: "your-unique-identifier-for-invite", Method: mailer.Request,
		Recipient:   mailer.Recipient{Email: "cronofy@example.com"},
		CallbackURL: "https://yourapp.example.com/cronofy/smart_invite/notifications",
		Organizer:   &mailer.Organizer{Name: "Smart invite application", Email: "organizer@myapplication.com"},
		Event: &cronofy.Event{
			Summary: "Board meeting", Description: "Discuss plans for the next quarter.", TZID: "Europe/London",
			Start:    cronofy.EventTime{Time: time.Date(2026, 4, 29, 9, 30, 0, 0, time.UTC)},
			End:      cronofy.EventTime{Time: time.Date(2026, 4, 29, 10, 0, 0, 0, time.UTC)},
			Location: &cronofy.Location{Description: "Board room"},
		},
	}, items[0].Invite)
}

// An event is read as package cronofy reads it.
func TestEventIsThatOfCronofy(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{}`,
		`{"summary":"S\u00e9ance \"x\"","description":"","start":"2027-04-29","end":"2027-04-30","tzid":null}`,
		`{"start":{"time":"2027-04-29T09:30:00Z","tzid":"Europe/London"},"end":{"time":"2027-04-29T10:30:00+01:00"}}`,
		`{"start":"2027-04-29 09:30:00Z","end":"2027-04-29T09:30:00.000Z"}`,
		`{"location":{"description":"x","lat":52.1,"long":"-0.1"},"url":"https://example.com","reminders":[{"minutes":5},{"minutes":0}]}`,
		`{"reminders":[],"reminders_create_only":true,"event_private":false,"transparency":"opaque","color":"#49BED8","locale":"en"}`,
		`{"recurrence":[{"rule":"FREQ=DAILY"}],"Summary":"another name","x":null}`,
	} {
		var want cronofy.Event
		require.NoError(t, json.Unmarshal([]byte(text), &want), text)
		items := read(t, "a.json", `{"event":`+text+`}`, Options{})
		require.Len(t, items, 1)
		require.Nil(t, items[0].Err, text)
		assert.Equal(t, &want, items[0].Invite.Event, text)
	}
}

func TestAdditions(t *testing.T) {
	t.Parallel()
	items := read(t, "a.json", ` { "smart_invite_id" : "\u0061\/b" , "method" : null ,
		"recipient":{"email":"a@example.com","name":"Ä","locale":"de-AT","tzid":"Europe/Vienna"}, "recipients": null,
		"mail":{"subject":"s","template":"t","reply_to":"r@example.org","locale":"de",
		"data":{"n":1000000,"x":1.5,"l":[1,{"k":null}],"s":"ß"}} } `, Options{})
	require.Len(t, items, 1)
	require.Nil(t, items[0].Err)
	assert.Equal(t, &mailer.Invite{
		ID:        "a/b",
		Recipient: mailer.Recipient{Email: "a@example.com", Name: "Ä", Locale: "de-AT", TZID: "Europe/Vienna"},
		Mail: mailer.MailOptions{Subject: "s", Template: "t", ReplyTo: "r@example.org", Locale: "de",
			Data: map[string]any{"n": int64(1000000), "x": 1.5, "l": []any{int64(1), map[string]any{"k": nil}},
				"s": "ß"}},
	}, items[0].Invite)
}

func TestMethodThatIsWanted(t *testing.T) {
	t.Parallel()
	items := read(t, "a.jsonl", `{"smart_invite_id":"a"}
{"smart_invite_id":"b","method":"cancel"}
{"smart_invite_id":"c","method":"request"}
{"smart_invite_id":"d","recipients":[{"email":"a@example.com"}]}`, Options{Method: mailer.Cancel})
	require.Len(t, items, 4)
	assert.Equal(t, mailer.Cancel, items[0].Invite.Method)
	assert.Equal(t, mailer.Cancel, items[1].Invite.Method)
	require.NotNil(t, items[2].Err)
	assert.Equal(t, `read: method: is "request" where only "cancel" is wanted; leave it out, or keep this record out of the file (line 3, column 33)`, items[2].Err.Error())
	assert.Equal(t, "c", items[2].Invite.ID)
	assert.Equal(t, mailer.Cancel, items[3].Group.Method)
}

// auto goes by the extension, and else by the first line.
func TestFormat(t *testing.T) {
	t.Parallel()
	const object = `{"smart_invite_id":"a"}`
	for name, test := range map[string]struct {
		name, text string
		lines      []int
		problem    string
		noInput    bool // nothing of the file could be read
	}{
		"two lines": {name: "-", text: object + "\n" + object, lines: []int{1, 2}},
		"a mark and blank lines": {name: "-", text: "\ufeff\r\n \n" + object + "\r\n\r\n" + object + "\r\n",
			lines: []int{3, 5}},
		"one object over lines": {name: "-", text: "{\n\"smart_invite_id\":\n\"a\"}", lines: []int{1}},
		"an array in one line":  {name: "-", text: "[" + object + "," + object + "]", lines: []int{1, 1}},
		"an array over lines":   {name: "-", text: "\n[\n" + object + ",\n\n" + object + "]", lines: []int{3, 5}},
		"an unknown extension":  {name: "invites.txt", text: object + "\n" + object, lines: []int{1, 2}},
		"ndjson":                {name: "a.NDJSON", text: object + "\n" + object, lines: []int{1, 2}},
		"an empty array":        {name: "a.json", text: "[ ]"},
		"a header alone":        {name: "a.csv", text: "smart_invite_id\n"},
		"CSV is not guessed": {name: "-", text: "smart_invite_id\na\n", lines: []int{0},
			problem: "for CSV name the file .csv or give Options.Format=csv", noInput: true},
		"nothing": {name: "-", text: "", lines: []int{0}, problem: "is empty", noInput: true},
		"blanks":  {name: "-", text: " \n\t\n", lines: []int{0}, problem: "is empty", noInput: true},
		"no JSON Lines": {name: "a.jsonl", text: "\ufeff \n\n", lines: []int{0}, problem: "is empty",
			noInput: true},
		"no JSON": {name: "a.json", text: "\ufeff\n ", lines: []int{0}, problem: "is empty",
			noInput: true},
		"no CSV": {name: "a.csv", text: "\ufeff\n\n", lines: []int{0}, problem: "is empty",
			noInput: true},
		"JSON Lines called JSON": {name: "a.json", text: object + "\n" + object, lines: []int{2},
			problem: "JSON Lines (.jsonl)"},
		"UTF-16 JSON Lines": {name: "a.jsonl", text: "\xff\xfe{\x00}\x00", lines: []int{1}, problem: "UTF-8",
			noInput: true},
		"UTF-16 CSV": {name: "a.csv", text: "\xff\xfem\x00e\x00", lines: []int{1}, problem: "UTF-8",
			noInput: true},
		"a picture": {name: "a.json", text: "\x89PNG\r\n\x1a\n\x00\x00", lines: []int{1},
			problem: "the octet 0x89 is not UTF-8"},
		"a picture on stdin": {name: "-", text: "\x89PNG\r\n\x1a\n\x00\x00", lines: []int{0},
			problem: "is neither JSON nor JSON Lines", noInput: true},
		"a wrong header": {name: "a.csv", text: "id,mail\na,b\n", lines: []int{1},
			problem: "nothing of this file is sent", noInput: true},
		"one column": {name: "a.csv", text: "smart_invite_id;recipient.email\na;b\n", lines: []int{1},
			problem: "separate the columns by commas", noInput: true},
		"a header with a quote": {name: "a.csv", text: "smart_invite_id,\"re\"cipient\n", lines: []int{1},
			problem: "a quoted cell does not end", noInput: true},
		"a row with a quote": {name: "a.csv", text: "smart_invite_id\na\"b\n", lines: []int{2},
			problem: "a quote stands inside a cell"},
		"a Latin-1 letter in JSON": {name: "a.json", text: "{\"smart_invite_id\":\"\xe4\"}", lines: []int{1},
			problem: "the octet 0xe4 is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, in := range []io.Reader{strings.NewReader(test.text), unseekable(strings.NewReader(test.text))} {
				var lines []int
				for item := range Read(test.name, in, Options{}) {
					lines = append(lines, lineOf(item))
					if test.problem == "" {
						assert.Nil(t, item.Err)
					} else if assert.NotNil(t, item.Err) {
						assert.Contains(t, item.Err.Message, test.problem)
						code := mailer.CodeInvalid
						if test.noInput {
							code = mailer.CodeNoInput
						}
						assert.Equal(t, code, item.Err.Code)
						assert.Equal(t, mailer.StageRead, item.Err.Stage)
					}
				}
				assert.Equal(t, test.lines, lines)
			}
		})
	}
	items := read(t, "a.json", "{}", Options{Format: "xml"})
	require.Len(t, items, 1)
	assert.Contains(t, items[0].Err.Message, `there is no format "xml"`)
}

// A record laid out over several lines is no JSON Lines, and is told where to go.
func TestRecordOverLinesInJSONLines(t *testing.T) {
	t.Parallel()
	const hint = "; in JSON Lines a record stands on one line: for one over several lines name the file .json"
	for _, text := range []string{"{ \n\"smart_invite_id\":\"a\"}", "{\"smart_invite_id\":\"a\",\r\n\"event\":{\r\n}}",
		"[\n{}\n]"} {
		items := read(t, "a.jsonl", text, Options{})
		require.Greater(t, len(items), 1)
		assert.Contains(t, items[0].Err.Message, hint)
		for _, item := range items[1:] {
			assert.NotContains(t, fate(item), hint)
		}
	}
	for _, text := range []string{"{\"smart_invite_id\":\n{}", "{}\n{\n"} {
		assert.NotContains(t, fate(read(t, "a.jsonl", text, Options{})[0]), hint)
	}
}

// A file that cannot be read is one item, and the others go on.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.jsonl")
	require.NoError(t, os.WriteFile(good, []byte(`{"smart_invite_id":"a"}`), 0o600))
	var got []string
	for item := range Files([]string{filepath.Join(dir, "none.json"), dir, "-", good}, strings.NewReader("{}"),
		Options{}) {
		what := "read"
		if item.Err != nil {
			what = item.Err.Message
			assert.Equal(t, mailer.CodeNoInput, item.Err.Code)
		}
		got = append(got, strings.TrimPrefix(item.Tag.(Source).String(), dir)+" "+what)
	}
	assert.Equal(t, []string{
		"/none.json there is no such file; check the name",
		" is a directory; name the files in it",
		"-:1 read",
		"/good.jsonl:1 read",
	}, got)
	for range Files([]string{good, good}, nil, Options{}) {
		break // nothing is read of the second one, and nothing panics
	}
}

type brokenReader struct{ before io.Reader }

var errBroken = errors.New("the disk is gone")

func (b brokenReader) Read(p []byte) (int, error) {
	n, err := b.before.Read(p)
	if errors.Is(err, io.EOF) {
		err = errBroken
	}
	return n, err
}

// What cannot be read any further says so, after what was read; of an array
// nothing is handed out.
func TestReadError(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"a.jsonl": 2, "a.csv": 2, "a.json": 1, "-": 1} {
		text := map[string]string{"a.jsonl": "{}\n", "a.csv": "method\nrequest\n", "a.json": "[{},", "-": "{"}[name]
		var items []mailer.Item
		for item := range Read(name, brokenReader{strings.NewReader(text)}, Options{}) {
			items = append(items, item)
		}
		require.Len(t, items, want, name)
		require.NotNil(t, items[want-1].Err, name)
		require.ErrorIs(t, items[want-1].Err, errBroken, name)
		assert.Contains(t, items[want-1].Err.Message, "cannot be read", name)
		assert.Equal(t, mailer.CodeNoInput, items[want-1].Err.Code, name)
	}
}

// A file may stand in the middle of a reader that can seek.
func TestSeekerIsReadFromWhereItStands(t *testing.T) {
	t.Parallel()
	in := strings.NewReader(`junk[{"smart_invite_id":"a"}]`)
	_, err := in.Seek(4, io.SeekStart)
	require.NoError(t, err)
	for item := range Read("-", in, Options{}) {
		require.Nil(t, item.Err)
		assert.Equal(t, "a", item.Invite.ID)
	}
}
