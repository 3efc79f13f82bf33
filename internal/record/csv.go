package record

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/internal/safetext"
	"github.com/invitemailer/invitemailer/mailer"
)

// dataColumn begins the names of the columns for templates.
const dataColumn = "mail.data."

// readCSV reads a table whose first row names the columns.
func (r *reader) readCSV(in *bufio.Reader) bool {
	if head, _ := in.Peek(512); bytes.IndexByte(head, 0) >= 0 {
		return r.giveUp(1, "this is not text in UTF-8; save the file as CSV in UTF-8", nil)
	}
	comma := separator(in)
	const most = MaxRecord + 64<<10 // of one row, with what is read ahead
	bounded := &io.LimitedReader{R: in, N: most}
	rows := csv.NewReader(bounded)
	rows.Comma = comma
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true

	first, err := rows.Read()
	switch {
	case bounded.N == 0 || err != nil && !errors.Is(err, io.EOF):
		return r.endCSV(err, bounded.N == 0, 1, mailer.CodeNoInput)
	case err != nil:
		return r.giveUp(0, isEmpty, nil)
	}
	header := withoutEmptyEnd(slices.Clone(first))
	line, _ := rows.FieldPos(0)
	last := line + lineEnds(first) // the last line that was read
	if e := checkHeader(header, line); e != nil {
		e.Code = mailer.CodeNoInput
		return r.yield(mailer.Item{Tag: Source{File: r.name, Line: line}, Err: e})
	}
	for {
		bounded.N = most
		begin := rows.InputOffset()
		cells, err := rows.Read()
		switch {
		case bounded.N == 0 || err != nil && !errors.Is(err, io.EOF):
			return r.endCSV(err, bounded.N == 0, last+1, mailer.CodeInvalid)
		case err != nil:
			return true
		}
		line, _ = rows.FieldPos(0)
		last = line + lineEnds(cells)
		switch {
		case rows.InputOffset()-begin > MaxRecord:
			if !r.fail(line, tooLongLine) {
				return false
			}
		case !blank(cells):
			if !r.yield(r.row(header, cells, line)) {
				return false
			}
		}
	}
}

// lineEnds counts the line ends inside the cells of a row.
func lineEnds(cells []string) int {
	n := 0
	for _, cell := range cells {
		n += strings.Count(cell, "\n")
	}
	return n
}

// endCSV ends the reading of a file, as after a stray quote it is not known where a row begins. The
// code is that of mistakes in the text.
func (r *reader) endCSV(err error, tooLong bool, line int, code mailer.Code) bool {
	const rest = "what follows in this file was not read"
	tell := func(line int, message string) bool {
		return r.yield(failed(code, Source{File: r.name, Line: line}, message, err))
	}
	var parse *csv.ParseError
	switch {
	case tooLong:
		return tell(line, fmt.Sprintf("the row that begins here is longer than %d octets (line %d); %s; shorten it, or close the quote that it opens", MaxRecord, line, rest))
	case !errors.As(err, &parse):
		return r.giveUp(line, fmt.Sprintf("cannot be read any further: %v; %s", err, rest), err)
	}
	what := `a quote stands inside a cell; write "" for a quote, and put the whole cell in quotes`
	if errors.Is(parse.Err, csv.ErrQuote) {
		what = `a quoted cell does not end with its quote; write "" for a quote in it, and close it with one`
	}
	where := fmt.Sprintf("line %d, character %d", parse.Line, parse.Column)
	if parse.StartLine != parse.Line {
		where += fmt.Sprintf(", in the row that begins in line %d", parse.StartLine)
	}
	return tell(parse.StartLine, located(what, where)+"; "+rest)
}

func checkHeader(header []string, line int) *mailer.Error {
	var p problems
	p.place = place{position: position{line: line}, cells: header}
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t") {
		p.add(0, short(header[0]), "is one column; separate the columns by commas")
		return p.err()
	}
	if len(header) == 0 {
		p.add(0, "", "has no name; begin the file with the names of its columns")
	}
	seen := make(map[string]bool)
	for i, name := range header {
		if p.isFull() {
			break // this is a file of something else
		}
		switch {
		case name == "":
			p.add(i, "", "has no name; give it one, or remove the column")
		case !knownColumn(name):
			p.add(i, short(name), "is not a known column%s", suggest(name, fields))
		case seen[name]:
			p.add(i, short(name), "is a column twice; leave one of the two out")
		}
		seen[name] = true
	}
	e := p.err()
	if e != nil {
		e.Message += "; nothing of this file is sent"
	}
	return e
}

func knownColumn(name string) bool {
	if key, ok := strings.CutPrefix(name, dataColumn); ok {
		return key != "" && !strings.Contains(key, ".") && utf8.ValidString(key)
	}
	return slices.Contains(fields, name)
}

func blank(cells []string) bool {
	return len(withoutEmptyEnd(cells)) == 0
}

// row reads one row. A cell that is empty is absent.
func (r *reader) row(header, cells []string, line int) mailer.Item {
	d := draft{}
	d.place = place{position: position{line: line}, cells: header}
	for i, cell := range cells[:min(len(cells), len(header))] {
		switch {
		case cell == "":
		case !utf8.ValidString(cell):
			d.add(i, header[i], "is not UTF-8; save the file as CSV in UTF-8")
		default:
			d.cell(header[i], cell, i)
			if problem := misread(header[i], cell); problem != "" {
				d.add(i, header[i], "%s", problem)
			}
		}
	}
	if len(cells) > len(header) {
		cells = cells[:max(len(header), len(withoutEmptyEnd(cells)))]
	}
	switch n := len(cells); {
	case n < len(header):
		d.add(n, header[n], "is missing: the row has %d of %d cells; add the others, or commas for empty ones", n,
			len(header))
	case n > len(header):
		d.add(len(header)-1, header[len(header)-1],
			"is not the last: the row has %d cells for %d columns; put a cell that has a comma in quotes", n,
			len(header))
	}
	d.resolve()
	d.method(r.o.Method)
	source := Source{File: r.name, Line: line}
	written := d.invite.ID
	if d.invite.ID = strings.TrimFunc(written, safetext.IsBlank); d.invite.ID != written {
		source.ID = written
	}
	return r.finish(&d, mailer.Item{Tag: source})
}

// cell reads a cell as the member of a JSON record that its column names.
func (d *draft) cell(column, text string, at int) {
	i := &d.invite
	area, name, _ := strings.Cut(column, ".")
	var known []field
	switch area {
	case "recipient":
		known = d.recipientFields(&i.Recipient)
	case "event":
		if i.Event == nil {
			i.Event = &cronofy.Event{}
		}
		known = d.eventFields(i.Event)
		if inner, ok := strings.CutPrefix(name, "location."); ok {
			if i.Event.Location == nil {
				i.Event.Location = &cronofy.Location{}
			}
			name, known = inner, d.locationFields(i.Event.Location)
		}
	case "organizer":
		if i.Organizer == nil {
			i.Organizer = &mailer.Organizer{}
		}
		known = d.organizerFields(i.Organizer)
	case "mail":
		if key, ok := strings.CutPrefix(name, "data."); ok {
			if i.Mail.Data == nil {
				i.Mail.Data = make(map[string]any)
			}
			i.Mail.Data[key] = text
			return
		}
		known = d.mailFields()
	default:
		name, known = column, d.fields()
	}
	quoted, _ := jsontext.AppendQuote(nil, text) // it is UTF-8
	if name == "reminders" {
		for word := range strings.FieldsSeq(text) {
			minutes, err := strconv.Atoi(word)
			if err != nil {
				d.add(at, column, "is not a list of minutes; write them with spaces between, such as 30 10")
				return
			}
			i.Event.Reminders = append(i.Event.Reminders, cronofy.Reminder{Minutes: minutes})
		}
		return
	}
	d.read(known, member{name, at, value{path: column, text: quoted, at: at}})
}
