package templates

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files in testdata anew")

var allKinds = []Kind{Invitation, Update, Cancellation, Withdrawal}

func loadZone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	require.NoError(t, err)
	return loc
}

func boardMeeting(t testing.TB) Data {
	london := loadZone(t, "Europe/London")
	return Data{
		Summary:     "Board meeting",
		Description: "Discuss plans for the next quarter. Please read the figures of the last one before, they are short.\n\n1. Sales & costs\n2. <Any> other business",
		Start:       time.Date(2027, 4, 29, 9, 30, 0, 0, london),
		End:         time.Date(2027, 4, 29, 10, 0, 0, 0, london),
		TZID:        "Europe/London",
		Location:    "Board room",
		LocationURL: "https://maps.example.com/?q=board+room&z=1",
		URL:         "https://example.com/events/1",
		Organizer:   Person{Name: "Jane Doe", Email: "jane@example.com"},
		Recipient:   Person{Name: "Ann Lee", Email: "ann@example.org"},
		ReplyTo:     "hr@example.com",
	}
}

func moved(t testing.TB) Data {
	d := boardMeeting(t)
	d.Changes = Changes(
		Data{Summary: "Board breakfast", Location: "Canteen", Start: d.Start.AddDate(0, 0, -1),
			End: d.End.AddDate(0, 0, -1), TZID: d.TZID},
		Data{Summary: d.Summary, Location: d.Location, Description: d.Description, Start: d.Start, End: d.End,
			TZID: d.TZID},
	)
	return d
}

func render(t testing.TB, kind Kind, d Data) Content {
	t.Helper()
	set, err := New()
	require.NoError(t, err)
	words, err := set.Render(kind, d)
	require.NoError(t, err)
	return words
}

// readers are one reader of each language, with the zone they live in.
func readers() map[string]string {
	return map[string]string{
		"en": "Europe/London", "de": "Europe/Berlin", "fr": "Europe/Paris", "es": "America/Mexico_City", "ja": "Asia/Tokyo", "ar": "Asia/Riyadh",
	}
}

// What readers get, whole and readable. `go test ./templates -update` writes
// it anew after a change that is meant.
func TestGolden(t *testing.T) {
	t.Parallel()
	for lang, zone := range readers() {
		for _, kind := range allKinds {
			t.Run(lang+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				d := moved(t)
				d.Lang, d.Zone = lang, loadZone(t, zone)
				words := render(t, kind, d)
				golden(t, filepath.Join(lang, string(kind)+".txt"), "Subject: "+words.Subject+"\n\n"+words.Text)
				golden(t, filepath.Join(lang, string(kind)+".html"), words.HTML)
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// RFC 6047 section 4.2's idea of a text for people: every kind says in both
// bodies what, when with the zone, where and who.
func TestEveryKindSaysTheEssentials(t *testing.T) {
	t.Parallel()
	subjects := map[Kind]string{
		Invitation:   "Invitation: Board meeting",
		Update:       "Updated invitation: Board meeting",
		Cancellation: "Cancelled: Board meeting",
		Withdrawal:   "Cancelled for you: Board meeting",
	}
	for _, kind := range allKinds {
		words := render(t, kind, moved(t))
		assert.Equal(t, subjects[kind], words.Subject)
		assert.Equal(t, "en", words.Lang)
		for body, text := range map[string]string{"text": flat(words.Text), "html": visible(t, words.HTML)} {
			for _, want := range []string{"Board meeting",
				"Thursday, 29 April 2027, 09:30 – 10:00 (Europe/London, UTC+01:00)", "Board room", "Jane Doe",
				"jane@example.com"} {
				assert.Contains(t, text, want, "%s of %s", body, kind)
			}
		}
	}
}

func TestInvitationSaysHowToAnswer(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{Invitation, Update} {
		words := render(t, kind, boardMeeting(t))
		for _, text := range []string{flat(words.Text), visible(t, words.HTML)} {
			assert.Contains(t, text, "use the buttons of your mail program")
			assert.Contains(t, text, "invite.ics")
			assert.Contains(t, text, "hr@example.com")
		}
	}
}

func TestUpdateShowsOldAndNew(t *testing.T) {
	t.Parallel()
	words := render(t, Update, moved(t))
	for _, text := range []string{flat(words.Text), visible(t, words.HTML)} {
		for _, want := range []string{
			"Before: Wednesday, 28 April 2027, 09:30 – 10:00 (Europe/London, UTC+01:00)",
			"Now: Thursday, 29 April 2027, 09:30 – 10:00 (Europe/London, UTC+01:00)",
			"Before: Canteen", "Now: Board room", "Before: Board breakfast", "Now: Board meeting",
		} {
			assert.Contains(t, text, want)
		}
	}
}

// A cancelled event must not look like a changed one, nor ask for an answer.
func TestCancellationSaysSoFirstAndAsksNothing(t *testing.T) {
	t.Parallel()
	first := map[Kind]string{Cancellation: "Cancelled: this event",
		Withdrawal: "Your invitation is cancelled. The event goes on without you."}
	for kind, want := range first {
		words := render(t, kind, moved(t))
		assert.True(t, strings.HasPrefix(words.Text, want), "text of %s: %s", kind, words.Text)
		assert.True(t, strings.HasPrefix(visible(t, words.HTML), want), "HTML of %s", kind)
		for _, text := range []string{words.Text, visible(t, words.HTML)} {
			for _, not := range []string{"Accept", "Decline", "invite.ics", "hr@example.com", "What changed"} {
				assert.NotContains(t, text, not)
			}
		}
	}
}

// An event of which little is known still makes a whole mail.
func TestEmptyEvent(t *testing.T) {
	t.Parallel()
	for _, kind := range allKinds {
		words := render(t, kind, Data{})
		assert.Contains(t, words.Subject, "(no title)")
		for _, text := range []string{words.Text, visible(t, words.HTML)} {
			for _, label := range []string{"When", "Where", "Organizer", "More", "Description", "reply"} {
				assert.NotContains(t, text, label, "%s of nothing", kind)
			}
		}
	}
}

func TestUnknownKind(t *testing.T) {
	t.Parallel()
	set, err := New()
	require.NoError(t, err)
	_, err = set.Render("greeting", Data{})
	require.ErrorContains(t, err, `"greeting"`)
}

// Whoever writes templates gets told where to look.
func TestErrorsNameTemplateAndLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file, source string
		want               []string
	}{
		{"a key that nil data lacks", "en/invitation.tmpl",
			"{{define \"subject\"}}x{{end}}\n{{define \"closing\"}}{{end}}\n{{define \"lead\"}}{{.Data.role}}{{end}}",
			[]string{"plain text of the invitation", "en/invitation.tmpl:3", `"role"`}},
		{"a field that does not exist", "layout.html", "{{define \"page\"}}\n{{.Nonsense}}{{end}}",
			[]string{"HTML of the invitation", "layout.html:2", "Nonsense"}},
		{"a syntax error", "en/words.tmpl", "\n\n{{define}}", []string{"en/words.tmpl:3"}},
		{"an unknown function", "layout.txt", "{{shout .Summary}}", []string{"layout.txt:1", "shout"}},
		{"a word that no file defines", "layout.txt", "{{define \"letter\"}}\n{{template \"greeting\"}}{{end}}",
			[]string{"layout.txt:2", `"greeting"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, err := New(fstest.MapFS{tt.file: {Data: []byte(tt.source)}})
			require.NoError(t, err)
			for range 2 { // a broken template stays broken
				_, err = set.Render(Invitation, boardMeeting(t))
				require.Error(t, err)
				for _, want := range tt.want {
					assert.ErrorContains(t, err, want)
				}
			}
		})
	}
}

// The caller's data reaches templates of the caller's own.
func TestDataReachesTemplates(t *testing.T) {
	t.Parallel()
	set, err := New(fstest.MapFS{"en/invitation.tmpl": {Data: []byte(`{{define "subject"}}{{.Data.role}}{{end}}{{define "lead"}}{{.Data.role}}{{end}}{{define "closing"}}{{with index .Data "absent"}}{{.}}{{end}}{{end}}`)}})
	require.NoError(t, err)
	words, err := set.Render(Invitation, Data{Data: map[string]any{"role": "<b>Lead\nengineer"}})
	require.NoError(t, err)
	assert.Equal(t, "<b>Lead engineer", words.Subject, "one line whatever the data")
	assert.Contains(t, words.HTML, "&lt;b&gt;Lead")
}

// One Set serves all goroutines, and what one renders is not another's.
func TestConcurrentRenders(t *testing.T) {
	t.Parallel()
	set, err := New()
	require.NoError(t, err)
	want := map[Kind]Content{}
	for _, kind := range allKinds {
		want[kind] = render(t, kind, moved(t))
	}
	var wg sync.WaitGroup
	for range 8 {
		for _, kind := range allKinds {
			wg.Go(func() {
				words, err := set.Render(kind, moved(t))
				assert.NoError(t, err)
				assert.Equal(t, want[kind], words)
			})
		}
	}
	wg.Wait()
}

// The caller's Data, and the changes it points to, are the caller's.
func TestRenderLeavesItsArgumentAlone(t *testing.T) {
	t.Parallel()
	d := moved(t)
	d.Changes[0].Old.Text, d.Changes[1].Old.Text = "a\nb", "c\nd"
	before := append([]Change(nil), d.Changes...)
	render(t, Update, d)
	assert.Equal(t, before, d.Changes)
}
