package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// A Sample is one mail about an event that is hard to write about.
type Sample struct {
	Set   string // the name of the set; empty for the main one
	Event string // the event: "hostile"
	Kind  Kind   // "invitation"
	Lang  string // "de"
	Data  Data   // what the template was given
	Content Content  // what came of it, unless Err
	Err   error  // of Render
}

// Samples renders every kind in every language of s, then of its named sets,
// about events that are hard: empty, long, hostile, right to left, across zones
// and midnights. Data.Data is what the set's data.json says: an object such as
// a caller would pass.
func (s *Set) Samples() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		for _, set := range s.all() {
			example, _, err := set.example()
			for _, lang := range set.Languages() {
				for _, kind := range kinds() {
					for _, e := range hardEvents() {
						sample := Sample{Set: set.name, Event: e.name, Kind: kind, Lang: lang, Data: e.data, Err: err}
						sample.Data.Lang, sample.Data.Data = lang, example
						if err == nil {
							sample.Content, sample.Err = set.Render(kind, sample.Data)
						}
						if !yield(sample) {
							return
						}
					}
				}
			}
		}
	}
}

// all is s and its named sets.
func (s *Set) all() []*Set {
	all := []*Set{s}
	for _, name := range s.Names() {
		all = append(all, s.named[name])
	}
	return all
}

// A Problem is one thing wrong with the templates.
type Problem struct {
	File string // "en/invitation.tmpl"; empty if no file is known
	Line int    // counted from 1; 0 if no line is known
	Err  error
}

func (p Problem) Error() string {
	switch {
	case p.File == "":
		return p.Err.Error()
	case p.Line == 0:
		return p.File + ": " + p.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %v", p.File, p.Line, p.Err)
}

// Unwrap is the error that Render gave.
func (p Problem) Unwrap() error { return p.Err }

// Problems are what [Set.Validate] found, sorted by file and line.
type Problems []Problem

// Error is a line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap is for errors.Is and errors.As.
func (p Problems) Unwrap() []error {
	all := make([]error, len(p))
	for i := range p {
		all[i] = p[i]
	}
	return all
}

// lacksKey recognizes text/template's complaint about a key that data lacks.
// There is no type for it.
func lacksKey(err error) bool {
	text := err.Error()
	return strings.Contains(text, "map has no entry for key ") || strings.Contains(text, "nil data; no entry for key ")
}

// Validate parses and executes everything with [Set.Samples], and returns
// [Problems] if there are any. What templates ask of Data.Data is held against
// data.json where there is one; without it, a key that no data has is left to
// the mails, which may have it.
func (s *Set) Validate() error {
	var found Problems
	seen := map[string]bool{}
	add := func(p Problem) {
		key := p.Error()
		if p.Line != 0 {
			// One mistake is met in many mails.
			key = fmt.Sprint(p.File, ":", p.Line)
		}
		if !seen[key] {
			seen[key] = true
			found = append(found, p)
		}
	}
	for _, set := range s.all() {
		for _, stray := range set.strays() {
			add(Problem{File: stray, Err: errors.New("is no template that is read; see the names of the embedded ones")})
		}
	}
	exemplary := map[string]bool{}
	for _, set := range s.all() {
		_, exemplary[set.name], _ = set.example()
	}
	for sample := range s.Samples() {
		if sample.Err == nil || !exemplary[sample.Set] && lacksKey(sample.Err) {
			continue
		}
		for _, err := range parts(sample.Err) {
			add(problem(err))
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.SortStableFunc(found, func(a, b Problem) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return found
}

// parts are the errors that were joined, if err itself is that.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, parts(e)...)
		}
		return all
	}
	return []error{err}
}

// problem finds file and line in an error of text/template ("template:
// FILE:LINE: …") or html/template ("html/template:FILE:LINE: …").
func problem(err error) Problem {
	var known Problem
	if errors.As(err, &known) {
		return known
	}
	for rest := err.Error(); ; {
		_, after, found := strings.Cut(rest, "template:")
		if !found {
			return Problem{Err: err}
		}
		rest = strings.TrimPrefix(after, " ")
		file, at, _ := strings.Cut(rest, ":")
		digits := at[:len(at)-len(strings.TrimLeft(at, "0123456789"))]
		if line, err2 := strconv.Atoi(digits); err2 == nil && !strings.Contains(file, " ") {
			return Problem{File: file, Line: line, Err: err}
		}
	}
}

// strays are the files that look like templates and are not read.
func (s *Set) strays() []string {
	var all []string
	for _, l := range s.layers[1:] {
		if c, err := list(l.files, strings.TrimSuffix(l.dir, "/")); err == nil {
			all = append(all, c.strays...)
		}
	}
	return all
}

// example is the data that the highest data.json has, and whether there is one.
func (s *Set) example() (map[string]any, bool, error) {
	for _, l := range slices.Backward(s.layers) {
		path := l.dir + sampleFile
		source, err := fs.ReadFile(l.files, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("read the example data: %w", err)
		}
		var example map[string]any
		if err := json.Unmarshal(source, &example); err != nil {
			line := 1
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) {
				line += strings.Count(string(source[:min(int(syntax.Offset), len(source))]), "\n")
			}
			return nil, true, Problem{File: path, Line: line, Err: fmt.Errorf("%w; write one JSON object, as mail.data is", err)}
		}
		return example, true, nil
	}
	return nil, false, nil
}
