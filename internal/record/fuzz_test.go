package record

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer"
)

// fuzz holds what is true of any input: nothing panics, every item is an invite,
// a group or a reason, in the order of the lines, and there are no more of them
// than the text has room for.
func fuzz(f *testing.F, ext string) {
	samples, err := filepath.Glob("../../testdata/invites/*" + ext)
	require.NoError(f, err)
	for _, name := range samples {
		text, err := os.ReadFile(name) // the samples
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		items, last := 0, 0
		for item := range Read("a"+ext, bytes.NewReader(text), Options{}) {
			items++
			require.True(t, item.Err != nil || (item.Invite == nil) != (item.Group == nil))
			line := item.Tag.(Source).Line
			require.GreaterOrEqual(t, line, last)
			require.LessOrEqual(t, line, 1+bytes.Count(text, []byte("\n"))+bytes.Count(text, []byte("\r")))
			last = line
			if item.Err != nil {
				require.NotEmpty(t, item.Err.Message)
				require.Equal(t, mailer.StageRead, item.Err.Stage)
				continue
			}
			if i := item.Invite; i != nil && i.Event != nil {
				for _, when := range []time.Time{i.Event.Start.Time, i.Event.End.Time} {
					require.Zero(t, when.Nanosecond())
				}
			}
		}
		require.LessOrEqual(t, items, len(text)+1)
	})
}

func FuzzJSONLines(f *testing.F) {
	f.Add([]byte("{\"event\":{\"x\":[{\"\\\"\":1}],\"start\":{\"time\":\"2027-10-31T02:30\",\"tzid\":\"Europe/Berlin\"}}}\r\n[]\n{\"a\":\"\\u00\n"))
	f.Add([]byte(strings.Repeat("[", 5000) + strings.Repeat("]", 5000)))
	fuzz(f, ".jsonl")
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbf[{\"a\":\"\\\\\"}, 1 ,\n\"x\",null,[[{}]]]"))
	f.Add([]byte("[{\"a\":1, {\"b\":2}]"))
	fuzz(f, ".json")
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("smart_invite_id,mail.data.x\n\"a\nb\",\"\"\"\"\n,\nx\n\"y"))
	fuzz(f, ".csv")
}
