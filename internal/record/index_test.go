package record

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
)

// What became of each line: new, repeats, or the code and the line of the first.
func fate(item mailer.Item) string {
	switch {
	case item.Err != nil:
		return string(item.Err.Code) + ": " + item.Err.Message
	case item.Repeats:
		return "repeats"
	}
	return "new"
}

func TestTwiceInOneFile(t *testing.T) {
	t.Parallel()
	const (
		dup  = "duplicate: the same invite with other content: its first stands in line %d; keep one of the two (line %d)"
		base = `{"smart_invite_id":"a","recipient":{"email":"a@example.com"},"event":{"summary":"s","start":"2027-04-29T09:30:00Z","tzid":"Europe/London","x":{"a":1,"b":2}},"mail":{"data":{"k":1,"l":2}}}`
	)
	for name, test := range map[string]struct{ lines, want []string }{
		"the same": {[]string{base, base}, []string{"new", "repeats"}},
		"spelled in another way": {
			[]string{base, `{"mail":{"data":{"l":2,"k":1}},"event":{"x":{"b":2,"a":1},"tzid":"Europe/London","start":"2027-04-29T10:30","summary":"\u0073"},"recipient":{"email":"A@EXAMPLE.com"},"smart_invite_id":"a","method":"request","organizer":{}}`},
			[]string{"new", "repeats"},
		},
		"other content": {
			[]string{base, `{"smart_invite_id":"a","recipient":{"email":"a@example.com"}}`,
				`{"smart_invite_id":"a","recipient":{"email":"a@example.com"},"method":"cancel"}`, base},
			[]string{"new", fmt.Sprintf(dup, 1, 2), fmt.Sprintf(dup, 1, 3), "repeats"},
		},
		"other mail options": {
			[]string{`{"smart_invite_id":"a","recipient":{"email":"a@example.com"}}`,
				`{"smart_invite_id":"a","recipient":{"email":"a@example.com","name":"A"}}`,
				`{"smart_invite_id":"a","recipient":{"email":"a@example.com"},"mail":{"subject":"s"}}`},
			[]string{"new", fmt.Sprintf(dup, 1, 2), fmt.Sprintf(dup, 1, 3)},
		},
		"several recipients, one id": {
			[]string{`{"smart_invite_id":"a","recipient":{"email":"a@example.com"}}`,
				`{"smart_invite_id":"a","recipient":{"email":"b@example.com"}}`,
				`{"smart_invite_id":"a","recipient":{"email":"b@example.com"}}`, `{"smart_invite_id":"a","recipient":{"email":"c@example.com"}}`,
				`{"smart_invite_id":"a","recipient":{"email":"b@example.com"},"method":"remove"}`},
			[]string{"new", "new", "repeats", "new", fmt.Sprintf(dup, 2, 5)},
		},
		"groups": {
			[]string{`{"smart_invite_id":"a","recipients":[{"email":"a@example.com"},{"email":"b@example.com"}]}`,
				`{"smart_invite_id":"a","recipients":[{"email":"b@example.com"},{"email":"A@example.com"}]}`,
				`{"smart_invite_id":"a","recipients":[{"email":"c@example.com"},{"email":"b@example.com"}]}`,
				`{"smart_invite_id":"a","method":"remove","recipients":[{"email":"c@example.com"}]}`},
			[]string{"new", "repeats", fmt.Sprintf(dup, 1, 3), "new"},
		},
		"both forms": {
			[]string{`{"smart_invite_id":"a","recipient":{"email":"a@example.com"}}`,
				`{"smart_invite_id":"a","recipients":[{"email":"b@example.com"}]}`,
				`{"smart_invite_id":"b","recipients":[{"email":"b@example.com"}]}`, `{"smart_invite_id":"b","recipient":{"email":"a@example.com"}}`},
			[]string{"new", "form_changed: this id has recipient in line 1 and recipients here (line 2); use one form for one id",
				"new", "form_changed: this id has recipients in line 3 and recipient here (line 4); use one form for one id"},
		},
		"what is wrong is no first": {
			[]string{`{"smart_invite_id":"a","recipient":{"email":"a@example.com"},"x":1}`,
				`{"smart_invite_id":"a","recipient":{"email":"a@example.com"}}`},
			[]string{"invalid: is not a known name (line 1, column 62)", "new"},
		},
		"without an id or a recipient": {
			[]string{`{"recipient":{"email":"a@example.com"}}`, `{"recipient":{"email":"a@example.com"}}`,
				`{"smart_invite_id":"a"}`, `{"smart_invite_id":"a"}`,
				`{"smart_invite_id":"g","recipients":[]}`, `{"smart_invite_id":"g","recipients":[]}`},
			[]string{"new", "new", "new", "new", "new", "new"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := ""
			for _, line := range test.lines {
				text += line + "\n"
			}
			var got []string
			for _, item := range read(t, "a.jsonl", text, Options{}) {
				got = append(got, fate(item))
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// The same holds across the rows of a table, and not across files.
func TestTwiceInATable(t *testing.T) {
	t.Parallel()
	items := read(t, "a.csv", "smart_invite_id,recipient.email,event.summary\na,a@example.com,x\na,A@example.com,x\na,a@example.com,y\n", Options{})
	require.Len(t, items, 3)
	assert.Equal(t, "new", fate(items[0]))
	assert.Equal(t, "repeats", fate(items[1]))
	assert.Contains(t, fate(items[2]), "duplicate: the same invite with other content: its first stands in line 2")
	again := read(t, "a.csv", "smart_invite_id,recipient.email\na,a@example.com\n", Options{})
	assert.Equal(t, "new", fate(again[0]))
}

// heap is what is in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// lineSource writes records as they are read, so that the input itself takes no
// memory.
type lineSource struct {
	i, n int
	rest []byte
}

func (s *lineSource) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.i == s.n {
			return 0, errBroken
		}
		s.rest = append([]byte(typical(s.i)), '\n')
		s.i++
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// held is the memory in use when the n-th record has been read.
func held(t *testing.T, n int) (octets int64) {
	before := heap()
	read := 0
	for item := range Read("a.jsonl", &lineSource{n: n + 1}, Options{}) {
		if read++; read == n {
			octets = int64(heap()) - int64(before)
			break
		}
		require.Nil(t, item.Err)
	}
	require.Equal(t, n, read)
	return octets
}

// One record is in memory at a time, and of each that was read before a few
// hundred octets. The bound has a wide margin: a record that were kept whole would
// be several times as much. The test does not run beside others, whose memory it
// would count.
func TestMemory(t *testing.T) {
	small, large := held(t, 1000), held(t, 51_000)
	t.Logf("1,000 records: %d octets, 51,000: %d", small, large)
	assert.LessOrEqual(t, (large-small)/50_000, int64(600))
}
