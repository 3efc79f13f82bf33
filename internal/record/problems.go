package record

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// maxProblems is how many problems of one record are told.
const maxProblems = 8

// problems collects what is wrong with a record, so that all of it is told at once.
type problems struct {
	place place
	field string // of the first
	texts []string
	more  int
}

// add notes a problem of the field that stands at that offset of the record.
func (p *problems) add(at int, field, format string, args ...any) {
	if p.isFull() {
		p.more++
		return
	}
	field = safetext.Line(field) // it may be any name at all
	text := fmt.Sprintf(format, args...) + " (" + p.place.of(at) + ")"
	if len(p.texts) > 0 && (field == p.field && text == p.texts[0] || slices.Contains(p.texts, field+": "+text)) {
		return // start and end are in one zone, which is wrong once
	}
	if len(p.texts) == 0 {
		p.field = field
	} else {
		text = field + ": " + text
	}
	p.texts = append(p.texts, text)
}

// isFull reports whether more problems are only counted, so that no work is done for their words.
func (p *problems) isFull() bool { return len(p.texts) == maxProblems }

func (p *problems) err() *mailer.Error {
	if len(p.texts) == 0 {
		return nil
	}
	text := strings.Join(p.texts, "; ")
	if p.more > 0 {
		text += fmt.Sprintf("; and %d more", p.more)
	}
	return &mailer.Error{Stage: mailer.StageRead, Code: mailer.CodeInvalid, Field: p.field, Message: text}
}

// located puts a place after what a message says, and before what to do.
func located(message, where string) string {
	what, todo, cut := strings.Cut(message, "; ")
	if cut {
		todo = "; " + todo
	}
	return what + " (" + where + ")" + todo
}

// place turns offsets in a record into lines and columns of its file.
type place struct {
	position // at which the record begins
	text     []byte
	cells    []string // of CSV: what stands in for a column
}

// of names the place of an offset. In CSV an offset is the number of a cell.
func (p place) of(at int) string {
	if p.cells != nil {
		return position{p.line, at + 1}.String()
	}
	return p.after(p.text[:at]).String()
}

// position is a place in a file.
type position struct {
	line   int // from 1
	column int // from 1, in characters
}

func (p position) String() string { return fmt.Sprintf("line %d, column %d", p.line, p.column) }

// after returns the position of what follows a text that begins at p.
func (p position) after(text []byte) position {
	if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
		p = position{p.line + bytes.Count(text, []byte("\n")), 1}
		text = text[i+1:]
	}
	p.column += utf8.RuneCount(text)
	return p
}
