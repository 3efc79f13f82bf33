// Package templates writes the words of a mail about a calendar event: its
// subject, its letter in plain text and its page in HTML, in the reader's
// language and in the reader's hour.
//
// A [Set] knows one mail for each [Kind] and language. [Set.Render] takes a
// [Data] and gives [Words]:
//
//	set, err := templates.New()
//	…
//	words, err := set.Render(templates.Invitation, templates.Data{
//		Lang:      "de-AT",
//		Summary:   "Board meeting",
//		Start:     start, // in the event's zone
//		End:       end,
//		TZID:      "Europe/London",
//		Location:  "Board room",
//		Organizer: templates.Person{Name: "Jane Doe", Email: "jane@example.com"},
//	})
//
// # Languages
//
// English, German, French, Spanish, Japanese and Arabic are built in. Data.Lang
// is matched as BCP 47 tags are ("de-AT" is served in German); what nothing
// matches is served in English. Days and months are CLDR's, in the order of the
// region that the tag names: "en-US" reads "Thursday, April 29, 2027, 9:30 am".
// English without a region, also as the last resort for a language that is not
// here, is worded as in Britain, with 24 hours: no reader takes 14:05 for the
// night.
//
// # Words of one's own
//
// [Overlay] lays a directory over the embedded files ([Files], [Export]), and
// a directory in it can hold a named set ([Set.Named]). [Set.Validate] finds
// what is broken in them before a mail is written. TEMPLATES.md beside this
// file is the manual for authors of templates: the files, every field with an
// example, and how to add a language.
package templates

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

//go:generate go test -run ^TestManual$ . -update

// fallback is the language every text exists in.
const fallback = "en"

// kinds returns all kinds, in the order in which a reader meets them.
func kinds() []Kind { return []Kind{Invitation, Update, Cancellation, Withdrawal} }

// A Set renders the mails of all kinds in its languages. It is safe for
// concurrent use.
//
// Templates are parsed when a kind is first rendered in a language, and once:
// a program that sends nothing pays for nothing.
type Set struct {
	name    string
	layers  []*layer // the lowest first
	tags    []language.Tag
	matcher func() language.Matcher
	mails   map[mailKey]func() (*mail, error)
	named   map[string]*Set
	shared  *shared
}

type mailKey struct {
	lang string
	kind Kind
}

// shared is what a set and its named sets have in common.
type shared struct {
	calendars calendars
	outputs   sync.Pool // of *output
}

// An Option changes what [New] returns.
type Option func(*options)

type options struct{ overlays []fs.FS }

// Overlay lays files over the embedded ones, such as os.DirFS(dir). A file
// replaces those {{define}}s of its namesake that it has itself. A directory
// with languages or layouts in it is a set of its own; see [Set.Named]. Of
// several overlays the last wins.
func Overlay(files fs.FS) Option {
	return func(o *options) { o.overlays = append(o.overlays, files) }
}

// New returns the embedded set, under any overlays. The error says what of an
// overlay cannot be read, or is a directory that is neither a language nor a
// set. Files are parsed later, by the first Render that needs them; call
// [Set.Validate] to have their mistakes before.
func New(with ...Option) (*Set, error) {
	var o options
	for _, option := range with {
		option(&o)
	}
	base := &layer{files: Files()}
	langs := []string{"en", "ar", "de", "es", "fr", "ja"}
	return newSet(base, langs, o.overlays)
}

// newSet builds a set upon base, of which langs are the languages.
func newSet(base *layer, langs []string, overlays []fs.FS) (*Set, error) {
	s := &Set{
		layers: []*layer{base},
		named:  map[string]*Set{},
		shared: &shared{outputs: sync.Pool{New: func() any { return new(output) }}},
	}
	var found []contents
	sets := map[string]bool{}
	for _, files := range overlays {
		c, err := list(files, "")
		if err != nil {
			return nil, err
		}
		found = append(found, c)
		s.layers = append(s.layers, &layer{files: files})
		langs = append(langs, c.langs...)
		for _, name := range c.sets {
			sets[name] = true
		}
	}
	s.prepare(langs)
	for name := range sets {
		n := &Set{name: name, layers: slices.Clone(s.layers), shared: s.shared}
		own := slices.Clone(langs)
		for i, files := range overlays {
			if !slices.Contains(found[i].sets, name) {
				continue
			}
			c, err := list(files, name)
			if err != nil {
				return nil, err
			}
			n.layers = append(n.layers, &layer{files: files, dir: name + "/"})
			own = append(own, c.langs...)
		}
		n.prepare(own)
		s.named[name] = n
	}
	return s, nil
}

// prepare readies what is made on first use. English is first in langs: what
// nothing matches is served in it.
func (s *Set) prepare(langs []string) {
	s.mails = make(map[mailKey]func() (*mail, error), len(langs)*len(kinds()))
	for _, lang := range langs {
		if _, known := s.mails[mailKey{lang, Invitation}]; known {
			continue
		}
		s.tags = append(s.tags, language.Make(lang))
		for _, kind := range kinds() {
			s.mails[mailKey{lang, kind}] = sync.OnceValues(func() (*mail, error) { return s.parse(lang, kind) })
		}
	}
	s.matcher = sync.OnceValue(func() language.Matcher { return language.NewMatcher(s.tags) })
}

// Named returns the set of that name, and s itself for the empty name. A named
// set is a directory of an [Overlay] such as "interview", laid out as the whole
// is: interview/en/invitation.tmpl. What it lacks is as it is in s. The error
// names the sets there are.
func (s *Set) Named(name string) (*Set, error) {
	if name == "" {
		return s, nil
	}
	if n, ok := s.named[name]; ok {
		return n, nil
	}
	there := strings.Join(s.Names(), ", ")
	if there == "" {
		there = "none"
	}
	return nil, fmt.Errorf("no set of templates is named %q; make a directory of that name, or use one that is there: %s", name, there)
}

// Has reports whether [Set.Named] knows the name.
func (s *Set) Has(name string) bool {
	_, ok := s.named[name]
	return ok || name == ""
}

// Names are the names of the named sets, sorted.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.named))
	for name := range s.named {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Languages are the tags of the languages of s, English first.
func (s *Set) Languages() []string {
	langs := make([]string, len(s.tags))
	for i, tag := range s.tags {
		langs[i] = tag.String()
	}
	return langs
}

// Render writes the mail of the given kind, in the language that d.Lang asks
// for or the nearest that s has. It sets d.Kind, d.Lang, d.Times and the Time of
// values, leaves Changes to updates, and leaves the caller's d alone.
//
// An error comes from a broken template or from data that a template asks for
// and d does not have; it names the template and the line.
func (s *Set) Render(kind Kind, d Data) (Content, error) {
	lang, region := s.match(d.Lang)
	load, ok := s.mails[mailKey{lang, kind}]
	if !ok {
		return Content{}, fmt.Errorf("no templates for a mail of kind %q; use one of invitation, update, cancellation, withdrawal", kind)
	}
	m, err := load()
	if err != nil {
		return Content{}, err
	}
	d.Kind, d.Lang = kind, lang
	if kind != Update {
		d.Changes = nil
	}
	d = d.cleaned()
	d.tell(s.shared.calendars.of(lang, region))

	words := Content{Lang: d.Lang}
	write := func(t executor, marks *marks, name, what string) string {
		if err != nil {
			return ""
		}
		var text string
		if text, err = s.execute(t, marks, name, &d); err != nil {
			err = fmt.Errorf("write the %s of the %s in %q: %w; correct the template or give it the data it names", what, kind, lang, m.locate(err))
		}
		return text
	}
	words.Subject = oneLine(write(m.text, &m.textMarks, "subject", "subject"))
	words.Text = wrap(write(m.text, &m.textMarks, "letter", "plain text"))
	words.HTML = write(m.html, &m.htmlMarks, "page", "HTML")
	if err != nil {
		return Content{}, err
	}
	return words, nil
}

// executor is what text/template and html/template have in common.
type executor interface {
	ExecuteTemplate(w io.Writer, name string, data any) error
}

func (s *Set) execute(t executor, marks *marks, name string, d *Data) (string, error) {
	out := s.shared.outputs.Get().(*output)
	defer s.shared.outputs.Put(out)
	out.reset(marks)
	if err := t.ExecuteTemplate(out, name, d); err != nil {
		return "", err
	}
	if out.absent > 0 && !strings.Contains(fmt.Sprint(*d), noValue) {
		return "", fmt.Errorf("template: %s: a value is written that is null or not there; ask for it in {{with}}", marks.place(out.absent))
	}
	return out.String(), nil
}
