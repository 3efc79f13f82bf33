package ical

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func options() Options { return Options{MaxLines: 1000, MaxNesting: 4} }

// What stands in a text is found where it stands, folded or not, and whatever its
// line ends are.
func TestRead(t *testing.T) {
	t.Parallel()
	s, err := Read("BEGIN:VCALENDAR\r\nmethod:REQUEST\nBEGIN:VEVENT\r\nSUMMARY;LANGUAGE=en;X=\"a:b;"+
		"c\":One\r\n  two\r\n\tthree\r\r\n"+
		"END:vevent\r\n\r\nEND:VCALENDAR\r\nX:stray\r\nbroken\r\nEND:VTODO\r\n", options())
	require.NoError(t, err)
	require.Len(t, s.Top, 1)
	calendar := s.Top[0]
	assert.Equal(t, "REQUEST", calendar.Value("METHOD"))
	assert.Equal(t, []int{1, 9}, []int{calendar.Line, calendar.End})
	require.Len(t, calendar.Components, 1)
	event := calendar.Components[0]
	assert.Equal(t, []int{3, 7}, []int{event.Line, event.End})
	assert.Equal(t, []Property{{
		Name: "SUMMARY", Params: `LANGUAGE=en;X="a:b;c"`, Value: "One twothree", Line: 4,
		Raw: "SUMMARY;LANGUAGE=en;X=\"a:b;c\":One\r\n  two\r\n\tthree",
	}}, event.Properties)
	assert.Equal(t, 10, s.Stray[0].Line)
	assert.Equal(t, 11, s.Broken[0].Line)
	assert.Equal(t, 12, s.Misnested[0].Line)
	assert.Nil(t, s.Open)
}

func TestLines(t *testing.T) {
	t.Parallel()
	got := slices.Collect(Lines("A:1\r\n 2\nB:3\r\r\n \r\n\n\tC:4\n\nD:5\r"))
	assert.Equal(t, []Line{
		{1, "A:1\r\n 2", "A:12"}, {3, "B:3\r\r\n ", "B:3"}, {5, "\n\tC:4", "C:4"}, {8, "D:5", "D:5"},
	}, got)
	for range Lines("A:1\nB:2\n") {
		break
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	_, err := Read(strings.Repeat("A:1\n", 1001), options())
	require.ErrorIs(t, err, ErrTooManyLines)
	s, err := Read(strings.Repeat("BEGIN:A\n", 5), options())
	require.ErrorIs(t, err, ErrTooDeep)
	assert.Equal(t, 4, s.Open.Line, "what came before is there")
}

// An END of an outer component ends those within, and says so.
func TestMisnesting(t *testing.T) {
	t.Parallel()
	s, err := Read("BEGIN:A\nBEGIN:B\nEND:A\nBEGIN:C\n", options())
	require.NoError(t, err)
	assert.Equal(t, 3, s.Misnested[0].Line)
	assert.Equal(t, "C", s.Open.Name)
	assert.Equal(t, []int{3, 0}, []int{s.Top[0].End, s.Top[0].Components[0].End})
}

func TestParameters(t *testing.T) {
	t.Parallel()
	for params, want := range map[string][]Parameter{
		"":                    nil,
		`cn="Doe, J";ROLE=x`:  {{Name: "CN", Value: "Doe, J", Quoted: true}, {Name: "ROLE", Value: "x"}},
		`A=1;2;="3"`:          {{Name: "A", Value: "1"}, {Value: "2"}, {Value: "3", Quoted: true}},
		`MEMBER="a;b","c"`:    {{Name: "MEMBER", Value: `"a;b","c"`}},
		`CN=say "no";B="open`: {{Name: "CN", Value: `say "no"`}, {Name: "B", Value: `"open`}},
	} {
		var got []Parameter
		for q := range (&Property{Params: params}).Parameters {
			got = append(got, q)
		}
		assert.Equal(t, want, got, params)
	}
	assert.False(t, Parameter{Value: `"a","b",c`}.Misquoted())
	assert.True(t, Parameter{Value: `say "no"`}.Misquoted())
	assert.True(t, Parameter{Value: `"open`}.Misquoted())
}

func TestWhen(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"20270429":         "2027-04-29T00:00:00 DATE",
		"20270429T093000":  "2027-04-29T09:30:00 DATE-TIME floating",
		"20270429T093000Z": "2027-04-29T09:30:00 DATE-TIME",
		"20270230":         "", "2027-04-29": "", "": "",
	} {
		got := ""
		if w := ReadWhen(value, ""); w.OK {
			got = w.Clock.Format("2006-01-02T15:04:05 ") + w.ValueType()
			if w.Floating() {
				got += " floating"
			}
		}
		assert.Equal(t, want, got, value)
	}
}

func TestReadDuration(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"P1W": 7 * 24 * time.Hour, "+P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second,
		"-PT15M": -15 * time.Minute,
		"P1DT":   24 * time.Hour, "PT": 0, "PT5S1H": time.Hour + 5*time.Second,
	} {
		days, rest, ok := ReadDuration(value)
		assert.True(t, ok, value)
		assert.Equal(t, want, time.Duration(days)*24*time.Hour+rest, value)
	}
	for _, value := range []string{"", "P", "-P", "1D", "P1H", "PT1D", "PT1", "P1", "PT1HT1M",
		"P999999999W", "PT9999999999S", "p1d"} {
		_, _, ok := ReadDuration(value)
		assert.False(t, ok, value)
	}
}

func TestMailto(t *testing.T) {
	t.Parallel()
	got, ok := Mailto(" MAILTO:a%40b.example?subject=x ")
	assert.True(t, ok)
	assert.Equal(t, "a@b.example", got)
	_, ok = Mailto("a@b.example")
	assert.False(t, ok)
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "a\nb\nc;d,e\\f:", UnescapeText(`a\nb\Nc\;d\,e\\f\:`))
	assert.Equal(t, `end\`, UnescapeText(`end\`))
	assert.Equal(t, "^\n\"x", UnescapeParameter(`^^^n^'x`))
}

// Whatever comes: each line of the text is in one place, or is empty.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
		"BEGIN:A\nB;C=\"d\":e\n f\nEND:A\n", "END:A\n\n:x\nA\r\r\n", "\x00\xff;:\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, unfolded := strings.Count(text, "\n")+1, 0
		for range Lines(text) {
			unfolded++
		}
		s, err := Read(text, Options{MaxLines: 100, MaxNesting: 4})
		if err != nil {
			return
		}
		places := len(s.Stray) + len(s.Broken)
		var walk func(all []*Component)
		walk = func(all []*Component) {
			for _, c := range all {
				places += 1 + len(c.Properties)
				if c.End > 0 {
					require.Greater(t, c.End, c.Line)
					require.LessOrEqual(t, c.End, lines)
					places++
				}
				walk(c.Components)
			}
		}
		walk(s.Top)
		ends := 0 // that end another than the innermost, which are counted as misnested and as an END
		for _, p := range s.Misnested {
			ends++
			require.LessOrEqual(t, p.Line, lines)
		}
		require.LessOrEqual(t, unfolded-places, ends)
		require.LessOrEqual(t, places, unfolded)
		require.LessOrEqual(t, s.Last, lines)
	})
}
