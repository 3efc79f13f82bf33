// Package templates renders the content of a mail about a calendar event: its subject, its letter
// in plain text and its page in HTML, in the reader's language and by the reader's clocks.
//
// A [Set] knows one mail for each [Kind] and language. [Set.Render] takes a
// [Data] and gives [Content]:
//
//	set, err := templates.New()
//	…
//	content, err := set.Render(templates.Invitation, templates.Data{
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
// English, German, French, Spanish, Japanese and Arabic are built in. Data.Lang is matched as BCP
// 47 tags are ("de-AT" is served in German); what nothing matches is served in English. Days and
// months are CLDR's, in the order of the region that the tag names: "en-US" reads "Thursday, April
// 29, 2027, 9:30 am". English without a region, also as the last resort for a language that is not
// here, is worded as in Britain, with 24 hours: no reader takes 14:05 for the night.
//
// # Templates of one's own
//
// [New] lays directories over the embedded files, which [Export] writes out to start from; a
// directory in one can hold a named set ([Set.Named]). [Set.Validate] finds what is broken in them
// before a mail is written. TEMPLATES.md beside this file is the manual for authors of templates:
// the files, every field with an example, and how to add a language.
package templates

import (
	"cmp"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"io/fs"
	"maps"
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

// A Set renders the mails of all kinds in its languages. It is safe for concurrent use.
//
// Templates are parsed when a kind is first rendered in a language, and once.
type Set struct {
	name    string
	layers  []layer  // the lowest first
	langs   []string // BCP 47 tags, English first
	matcher language.Matcher
	mails   map[string]func() (*mail, error) // by language/kind
	named   map[string]*Set
}

// New returns the embedded set with overlays laid over it, such as os.DirFS(dir). A file of an
// overlay replaces those {{define}}s of its namesake that it has itself; of several overlays the
// last wins. A directory with languages or layouts in it is a set of its own; see [Set.Named].
//
// The error says what of an overlay cannot be read, or is a directory that is
// neither a language nor a set. Files are parsed later, by the first Render that
// needs them; call [Set.Validate] to have their mistakes before.
func New(overlays ...fs.FS) (*Set, error) {
	s := &Set{
		layers: []layer{{files: embeddedFiles()}},
		langs:  []string{fallback, "ar", "de", "es", "fr", "ja"},
		named:  map[string]*Set{},
	}
	own := map[string][]layer{}
	for _, files := range overlays {
		sets, err := s.add(layer{files: files})
		if err != nil {
			return nil, err
		}
		for _, name := range sets {
			own[name] = append(own[name], layer{files: files, dir: name})
		}
	}
	s.prepare()
	for name, layers := range own {
		n := &Set{name: name, layers: slices.Clone(s.layers), langs: slices.Clone(s.langs)}
		for _, l := range layers {
			if _, err := n.add(l); err != nil {
				return nil, err
			}
		}
		n.prepare()
		s.named[name] = n
	}
	return s, nil
}

// add puts a layer on top, and returns the named sets in it.
func (s *Set) add(l layer) (sets []string, err error) {
	c, err := l.list()
	s.layers = append(s.layers, l)
	for _, lang := range c.langs {
		if !slices.Contains(s.langs, lang) {
			s.langs = append(s.langs, lang)
		}
	}
	return c.sets, err
}

// prepare is called when all layers are there.
func (s *Set) prepare() {
	s.mails = make(map[string]func() (*mail, error))
	var tags []language.Tag
	for _, lang := range s.langs {
		tags = append(tags, language.Make(lang))
		for _, kind := range kinds() {
			s.mails[lang+"/"+string(kind)] = sync.OnceValues(func() (*mail, error) { return s.parse(lang, kind) })
		}
	}
	s.matcher = language.NewMatcher(tags)
}

// Named returns the set of that name, and s itself for the empty name. A named set is a directory
// of an overlay such as "interview", laid out as the whole is: interview/en/invitation.tmpl. What
// it lacks is as it is in s. The error names the sets there are.
func (s *Set) Named(name string) (*Set, error) {
	if name == "" {
		return s, nil
	}
	if n, ok := s.named[name]; ok {
		return n, nil
	}
	return nil, fmt.Errorf("no set of templates is named %q; make a directory of that name, or use one that is "+
		"there: %s", name, cmp.Or(strings.Join(s.names(), ", "), "none"))
}

// names are the names of the named sets, sorted.
func (s *Set) names() []string { return slices.Sorted(maps.Keys(s.named)) }

// Render writes the mail of the given kind, in the language that d.Lang asks
// for or the nearest that s has. It sets d.Kind, d.Lang, d.Times and the Time of
// values, leaves Changes to updates, and leaves the caller's d alone.
//
// An error comes from a broken template or from data that a template asks for
// and d does not have; it names the template and the line.
func (s *Set) Render(kind Kind, d Data) (Content, error) {
	lang, region := s.match(d.Lang)
	load, ok := s.mails[lang+"/"+string(kind)]
	if !ok {
		return Content{}, fmt.Errorf("no templates for a mail of kind %q; use one of invitation, update, "+
			"cancellation, withdrawal", kind)
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
	d.setTimes(calendarOf(lang, region))

	c := Content{Lang: lang}
	for _, part := range []struct {
		to         *string
		run        func(io.Writer, string, any) error
		name, what string
	}{
		{&c.Subject, m.text.ExecuteTemplate, "subject", "subject"},
		{&c.Text, m.text.ExecuteTemplate, "letter", "plain text"},
		{&c.HTML, m.html.ExecuteTemplate, "page", "HTML"},
	} {
		if *part.to, err = m.execute(part.run, part.name, &d); err != nil {
			return Content{}, fmt.Errorf("write the %s of the %s in %q: %w; correct the template or give it the "+
				"data it names", part.what, kind, lang, err)
		}
	}
	c.Subject, c.Text = oneLine(c.Subject), wrap(c.Text)
	return c, nil
}

// execute runs a template of m. Its errors name file and line.
func (m *mail) execute(run func(io.Writer, string, any) error, name string, d *Data) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.out = output{}
	err := run(&m.out, name, d)
	var ours fault
	var escape *htmltemplate.Error
	switch {
	case errors.As(err, &ours):
		at := problem(err)
		return "", fmt.Errorf("template: %s:%d: %w", at.File, at.Line, ours)
	case errors.As(err, &escape) && escape.Node == nil && m.page[escape.Name] != nil:
		// html/template names the definition alone.
		tree := m.page[escape.Name]
		at, _ := tree.ErrorContext(tree.Root)
		return "", fmt.Errorf("template: %s: %w", at, err)
	}
	return m.out.String(), err
}
