package mimetree

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func options() Options { return Options{MaxParts: 20, MaxDepth: 3, MaxFields: 10} }

// A tree has its parts where clients count them, the bodies without the line end
// that belongs to a boundary, and fields unfolded.
func TestRead(t *testing.T) {
	t.Parallel()
	m := Read("From a Thu Apr 1\r\nSubject: one\r\n two\r\nnonsense\r\nContent-Type: "+
		"multipart/mixed; boundary=\"o\"\r\n\r\npreamble\r\n"+
		"--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\ntext\r\n--i\r\n"+
		"Content-Type: text/calendar; METHOD=REPLY\r\n\r\nBEGIN\r\n--i--\r\n"+
		"--o  \r\nContent-Type: application/ics\r\nContent-Disposition: attachment; "+
		"filename=\"a\\\"b.ics\"\r\nContent-Transfer-Encoding: "+
		"BASE64\r\n\r\nQkVHSU4=\r\n--o--\r\nepilogue", options())
	var paths, bodies []string
	for _, p := range m.Parts {
		paths = append(paths, p.Path()+" "+p.Media.Kind)
		if !p.IsMultipart() {
			bodies = append(bodies, p.Text())
		}
	}
	assert.Equal(t, []string{" multipart/mixed", "1 multipart/alternative", "1.1 text/plain",
		"1.2 text/calendar", "2 application/ics"}, paths)
	assert.Equal(t, []string{"text", "BEGIN", "BEGIN"}, bodies)
	subject, n := m.Root.Field("subject")
	assert.Equal(t, "one two", subject.Value)
	assert.Equal(t, 1, n)
	assert.Equal(t, Field{Raw: "nonsense", Value: "nonsense"}, m.Root.Fields[1])
	method, _ := m.Parts[3].Media.Get("method")
	assert.Equal(t, "REPLY", method)
	name, _ := m.Parts[4].Disposition.Get("filename")
	assert.Equal(t, `a"b.ics`, name)
	assert.True(t, m.Root.Opened && m.Root.Closed)
	assert.Same(t, m.Parts[1], m.Parts[2].Within("multipart/alternative"))
	assert.True(t, m.Root.Has(m.Parts[3]))
	assert.False(t, m.Parts[1].Has(m.Parts[4]))
	assert.Empty(t, m.Limits)
}

func TestLimitsAreReported(t *testing.T) {
	t.Parallel()
	head := "Content-Type: multipart/mixed; boundary=b\n\n"
	for name, text := range map[string]string{
		"parts":  head + strings.Repeat("--b\n\nx\n", 30),
		"depth":  head + strings.Repeat("--b\n"+head, 5),
		"fields": strings.Repeat("A: b\n", 30) + "\n",
	} {
		assert.Len(t, Read(text, options()).Limits, 1, name)
	}
}

// The body is read whatever is wrong with its encoding, and what is wrong is told.
func TestDecode(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		part   Part
		text   string
		faults []Fault
	}{
		"quoted-printable": {Part{Encoding: "quoted-printable", Body: "a=C3=A9=\r\nb \n=zz"}, "aéb\n=zz",
			[]Fault{{Line: 2, What: "white space at the end of a quoted-printable line, which " +
				"is lost on the way"}, {Line: 3, What: "not quoted-printable", Offending: "=zz"}}},
		"base64": {Part{Encoding: "base64", Body: "QkVH\r\n!SU4="}, "BEGIN",
			[]Fault{{Line: 2, What: "not base64", Offending: "!SU4="}}},
		"cut": {Part{Encoding: "base64", Body: "QkVHS"}, "BEG",
			[]Fault{{Line: 1, What: "base64 that ends in the middle or is wrongly padded"}}},
		"8 bit in 7bit": {Part{Encoding: "7bit", Body: "a\né"}, "a\né",
			[]Fault{{Line: 2, What: "an octet above 127 under 7bit", Offending: "é"}}},
		"unknown": {Part{Encoding: "x-uuencode", Body: "a"}, "a",
			[]Fault{{What: "there is no such Content-Transfer-Encoding", Offending: "x-uuencode"}}},
		"mislabelled calendar": {Part{Encoding: "8bit", Media: Media{Kind: "text/calendar"},
			Body: "QkVHSU46VkNBTA=="}, "BEGIN:VCAL",
			[]Fault{{Line: 1, What: "the calendar is base64, but the label says something else", Offending: "8bit"}}},
	} {
		content := tc.part.Decode()
		assert.Equal(t, tc.text, content.Text, name)
		assert.Equal(t, tc.faults, content.Faults, name)
		assert.Equal(t, len(tc.faults), content.Count, name)
	}
}

// Whatever comes, every part has a place, and what is in it comes from the text.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "A: b\n\nbody",
		"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n",
		"Content-Transfer-Encoding: base64\n\nQUJD", "From x\n\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := Read(text, options())
		require.LessOrEqual(t, len(m.Parts), 21)
		for _, p := range m.Parts {
			require.Contains(t, text, p.Body)
			require.True(t, m.Root.Has(p))
			require.LessOrEqual(t, len(p.Text()), len(p.Body))
		}
	})
}
