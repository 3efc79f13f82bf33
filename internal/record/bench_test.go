package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/invitemailer/invitemailer/mailer"
)

// typical is a record as a booking system writes it.
func typical(i int) string {
	return fmt.Sprintf(`{"method":"request","recipient":{"email":"person%d@example.com","name":"Zoë Person %d"},"smart_invite_id":"interview-%d",`+
		`"callback_url":"https://booking.example.org/rsvp","event":{"summary":"Interview %d","description":"We look forward to meeting you.\nBring nothing.",`+
		`"start":"2027-04-29T09:30:00","end":"2027-04-29T10:00:00","tzid":"Europe/London","location":{"description":"Room 3"},"reminders":[{"minutes":30}]},`+
		`"organizer":{"name":"Jobs","email":"jobs@example.org"}}`, i, i, i, i)
}

const benchRecords = 10_000

func typicalText(before, between, after string) []byte {
	var b bytes.Buffer
	b.WriteString(before)
	for i := range benchRecords {
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(typical(i))
	}
	b.WriteString(after)
	return b.Bytes()
}

func benchmark(b *testing.B, text []byte, items func() iter.Seq[mailer.Item]) {
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		n := 0
		for item := range items() {
			if item.Err != nil {
				b.Fatal(item.Err)
			}
			n++
		}
		if n != benchRecords {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRecords, "ns/record")
}

// BenchmarkJSONLines reads a file of 10,000 records again.
func BenchmarkJSONLines(b *testing.B) {
	text := typicalText("", "\n", "\n")
	benchmark(b, text, func() iter.Seq[mailer.Item] { return Read("a.jsonl", bytes.NewReader(text), Options{}) })
}

func BenchmarkJSONArray(b *testing.B) {
	text := typicalText("[", ",\n", "]")
	benchmark(b, text, func() iter.Seq[mailer.Item] { return Read("a.json", bytes.NewReader(text), Options{}) })
}

// BenchmarkJSONArrayPiped reads an array from standard input.
func BenchmarkJSONArrayPiped(b *testing.B) {
	text := typicalText("[", ",\n", "]")
	benchmark(b, text, func() iter.Seq[mailer.Item] {
		return Read("-", io.MultiReader(bytes.NewReader(text)), Options{})
	})
}

func BenchmarkCSV(b *testing.B) {
	var t strings.Builder
	t.WriteString("smart_invite_id,recipient.email,event.summary,event.start,event.end,event.tzid,organizer.email\n")
	for i := range benchRecords {
		fmt.Fprintf(&t, "id-%d,person%d@example.com,Interview,2027-04-29T09:30,2027-04-29T10:00,Europe/London,jobs@example.org\n", i, i)
	}
	text := []byte(t.String())
	benchmark(b, text, func() iter.Seq[mailer.Item] { return Read("a.csv", bytes.NewReader(text), Options{}) })
}

// BenchmarkHostile reads records of the largest size that ask for the most work:
// names that stand in no list, names without end, and brackets in brackets.
func BenchmarkHostile(b *testing.B) {
	for name, text := range map[string]string{
		"unknown": "{" + strings.Repeat(`"recipiens":1,`, MaxRecord/14-1) + `"a":1}`,
		"escapes": `{"smart_invite_id":"` + strings.Repeat(`\n`, MaxRecord/2-20) + `"}`,
		"deep":    `{"event":{"x":` + strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000) + "}}",
		"columns": "mail.data.0" + strings.Repeat(",", MaxRecord-20) + "\n",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			file := "a.jsonl"
			if name == "columns" {
				file = "a.csv"
			}
			for b.Loop() {
				for range Read(file, strings.NewReader(text), Options{}) {
				}
			}
		})
	}
}

// BenchmarkEncodingJSON is what encoding/json alone takes for the same text,
// which it reads without exact names, double names and columns.
func BenchmarkEncodingJSON(b *testing.B) {
	text := bytes.Split(typicalText("", "\n", ""), []byte("\n"))
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range text {
			var v struct {
				Method               string `json:"method"`
				ID                   string `json:"smart_invite_id"`
				CallbackURL          string `json:"callback_url"`
				Recipient, Organizer struct{ Email, Name string }
				Event                struct {
					Summary, Description, Start, End, TZID string
					Location                               struct{ Description string }
					Reminders                              []struct{ Minutes int }
				}
			}
			if err := json.Unmarshal(line, &v); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRecords, "ns/record")
}
