package lint_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/lint"
)

// later is when the good messages are checked.
func later() time.Time { return time.Date(2027, 4, 4, 9, 0, 0, 0, time.UTC) }

// good reads one of the messages in which nothing is wrong.
func good(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(data)
}

// An edit breaks a good message.
type edit func(t *testing.T, message string) string

// change replaces old, which must be there, in the whole message. Line ends are written \n and mean
// CRLF.
func change(pairs ...string) edit {
	return func(t *testing.T, s string) string {
		t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			old, with := crlf(pairs[i]), crlf(pairs[i+1])
			require.Contains(t, s, old)
			s = strings.Replace(s, old, with, 1)
		}
		return s
	}
}

// inCalendar replaces old, which must be there, in the calendar: in both its copies.
func inCalendar(pairs ...string) edit {
	return func(t *testing.T, s string) string {
		t.Helper()
		return mapCalendar(t, s, func(c string) string { return change(pairs...)(t, c) })
	}
}

// mapCalendar changes the calendar in the alternative and in the attachment alike.
func mapCalendar(t *testing.T, s string, f func(string) string) string {
	t.Helper()
	begin := strings.Index(s, "BEGIN:VCALENDAR")
	end := strings.Index(s, "\r\n--inner-4c1a--")
	require.True(t, begin > 0 && end > begin)
	calendar := f(s[begin:end])
	s = s[:begin] + calendar + s[end:]
	return attachment(t, s, calendar)
}

// attachment puts other bytes into the attachment.
func attachment(t testing.TB, s, content string) string {
	t.Helper()
	begin := strings.Index(s, "base64\r\n\r\n") + len("base64\r\n\r\n")
	end := strings.Index(s, "\r\n--outer-9d2f--")
	require.Less(t, begin, end)
	encoded := base64.StdEncoding.EncodeToString([]byte(content))
	var b strings.Builder
	for len(encoded) > 76 {
		b.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	b.WriteString(encoded + "\r\n")
	return s[:begin] + b.String() + s[end:]
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

func both(edits ...edit) edit {
	return func(t *testing.T, s string) string {
		t.Helper()
		for _, e := range edits {
			s = e(t, s)
		}
		return s
	}
}

// A breach is a good message broken on purpose.
type breach struct {
	rule  string // the rule it is for
	name  string
	from  string // the good message; good.eml if empty
	edit  edit
	want  string // all findings, as "IM15 error" or "IM15 warning", sorted, each once, separated by commas
	any   string // under Any; not checked if empty; "clean" for none
	where string // of the first finding of the rule; not checked if empty
	prev  string // the earlier message
}

func (b breach) options(t *testing.T) lint.Options {
	t.Helper()
	o := lint.Options{Now: later()}
	if b.prev != "" {
		p, err := lint.ReadPrevious([]byte(good(t, b.prev)))
		require.NoError(t, err)
		o.Previous = p
	}
	return o
}

// TestRules breaks a good message for each rule, and wants exactly the findings that this must
// give.
func TestRules(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for _, b := range breaches() {
		tested[b.rule] = true
		t.Run(b.rule+" "+b.name, func(t *testing.T) {
			t.Parallel()
			from := b.from
			if from == "" {
				from = "good.eml"
			}
			broken := []byte(b.edit(t, good(t, from)))
			o := b.options(t)
			findings := lint.Check(broken, o)
			assert.Equal(t, b.want, summary(findings), "%s", list(findings))
			assert.Contains(t, summary(findings), b.rule)
			for _, f := range findings {
				if b.where != "" && f.Rule == b.rule {
					assert.Equal(t, b.where, f.Where)
					break
				}
			}
			if b.any != "" {
				o.Profile = lint.Any
				findings := lint.Check(broken, o)
				assert.Equal(t, strings.TrimPrefix(b.any, "clean"), summary(findings), "%s", list(findings))
			}
		})
	}
	for _, r := range lint.Rules() {
		assert.True(t, tested[r.ID], "no message is broken for %s", r.ID)
	}
}

// The messages that the others are made from are clean, each after the one before.
func TestGoodMessagesAreClean(t *testing.T) {
	t.Parallel()
	for _, tc := range []breach{{from: "good.eml"}, {from: "good-update.eml", prev: "good.eml"},
		{from: "good-cancel.eml", prev: "good-update.eml"}} {
		for _, p := range []lint.Profile{"", lint.Own, lint.Any} {
			o := tc.options(t)
			o.Profile = p
			assert.Empty(t, list(lint.Check([]byte(good(t, tc.from)), o)), tc.from)
			o.Previous = nil
			assert.Empty(t, list(lint.Check([]byte(good(t, tc.from)), o)), tc.from)
		}
	}
}

// summary is which rules are broken, and how badly.
func summary(findings []lint.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Rule+" "+string(f.Level))
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

func list(findings []lint.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintln(&b, f)
	}
	return b.String()
}

// A program that prints the documentation of a rule can rely on all of it being there.
func TestRulesAreDocumented(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`^IM[0-9]{2}$`)
	seen := map[string]bool{}
	rules := lint.Rules()
	for _, r := range rules {
		assert.Regexp(t, number, r.ID)
		assert.False(t, seen[r.ID], r.ID)
		seen[r.ID] = true
		for _, text := range []string{r.Title, r.Why, r.Source, r.Fix} {
			assert.NotEmpty(t, text, r.ID)
		}
		assert.Contains(t, []lint.Level{lint.Error, lint.Warning}, r.Own, r.ID)
		assert.Contains(t, []lint.Level{lint.Error, lint.Warning, lint.Off}, r.Any, r.ID)
		assert.Contains(t, []lint.Origin{lint.Composed, lint.Calendar}, r.Origin, r.ID)
		text, ok := lint.Explain(strings.ToLower(r.ID))
		assert.True(t, ok)
		assert.Contains(t, text, r.Fix)
	}
	assert.True(t, slices.IsSortedFunc(rules, func(a, b lint.Rule) int { return strings.Compare(a.ID, b.ID) }))
	for i := range 81 {
		id := fmt.Sprintf("IM%02d", i)
		byOthers := slices.Contains([]string{"IM13", "IM62", "IM71", "IM73"}, id)
		assert.Equal(t, !byOthers, seen[id], id)
	}
	_, ok := lint.Explain("IM99")
	assert.False(t, ok)
}

func TestRulesTableIsUpToDate(t *testing.T) {
	t.Parallel()
	written, err := os.ReadFile("RULES.md")
	require.NoError(t, err)
	assert.True(t, bytes.Equal(written, []byte(lint.Markdown())), "run go generate ./mailer/lint")
}
