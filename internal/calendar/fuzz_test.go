package calendar_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/invitemailer/invitemailer/internal/calendar"
)

// Whatever comes, Read returns a calendar whose bytes are the text, or a typed error.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/*.ics")
	if err != nil || len(names) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add(zoned(history, "20260101T100000"))
	f.Add(event("DTSTART:20260101T100000Z", "DURATION:P1DT2H3M4S", `ATTENDEE;CN="a\"b";X=1,2:mailto:a%40b`))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := calendar.Read(text)
		if err != nil {
			var e *calendar.Error
			if !errors.As(err, &e) || e.Reason == "" {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		out := string(c.Bytes())
		if strings.Count(out, "\n") != strings.Count(out, "\r\n") ||
			strings.Count(out, "\r") != strings.Count(out, "\r\n") {
			t.Fatal("a line end is not CRLF")
		}
		if want := strings.TrimSuffix(strings.ReplaceAll(text, "\r", ""), "\n") +
			"\n"; strings.ReplaceAll(out, "\r", "") != want {
			t.Fatal("more than line ends changed")
		}
		again, err := calendar.Read(out)
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if !bytes.Equal(again.Bytes(), c.Bytes()) || again.Sum() != c.Sum() ||
			!again.Start.Equal(c.Start) || again.UID != c.UID {
			t.Fatal("reading again gives something else")
		}
	})
}
