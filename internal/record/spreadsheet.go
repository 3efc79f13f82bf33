package record

import (
	"bufio"
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/safetext"
)

// separator reads past the line with which Excel names the separator of a file,
// such as "sep=;", and returns it; a comma if there is no such line. The line's
// end stays, so that lines are counted as they stand.
func separator(in *bufio.Reader) rune {
	const name = "sep="
	head, _ := in.Peek(len(name) + len("x\r\n"))
	if len(head) <= len(name) || !strings.EqualFold(string(head[:len(name)]), name) ||
		!strings.ContainsRune(",;\t|", rune(head[len(name)])) {
		return ','
	}
	if end := head[len(name)+1:]; len(end) > 0 && !bytes.HasPrefix(end, []byte("\n")) &&
		!bytes.HasPrefix(end, []byte("\r\n")) {
		return ','
	}
	separator := rune(head[len(name)])
	_, _ = in.Discard(len(name) + 1)
	return separator
}

// withoutEmptyEnd leaves out the cells at the end of a row that say nothing, as
// spreadsheets write them for columns that were once in use.
func withoutEmptyEnd(cells []string) []string {
	for len(cells) > 0 && strings.TrimFunc(cells[len(cells)-1], safetext.IsBlank) == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}

// isFormula reports whether a cell is what a spreadsheet calculates: ="00123" for a number that is
// to keep its zeros, or worse. A text may begin with = as well, as a heading does.
func isFormula(cell string) bool {
	rest, ok := strings.CutPrefix(cell, "=")
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && rest != "" && (unicode.IsLetter(first) || unicode.IsDigit(first) ||
		strings.ContainsRune(`"'(+-@{$`, first))
}

// isShortened reports whether an id is what a spreadsheet makes of one of many
// digits: 1.23457E+12, or 1,23457E+12 where that is how fractions are written.
func isShortened(id string) bool {
	mantissa, exponent, ok := strings.Cut(strings.ToUpper(id), "E+")
	whole, fraction, point := strings.Cut(strings.Replace(mantissa, ",", ".", 1), ".")
	return ok && len(whole) == 1 && isNumber(whole) && isNumber(exponent) && (!point || isNumber(fraction))
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isFault reports whether a cell is what a spreadsheet shows where a formula has
// no value, or a column is too narrow for a date or a number: #N/A, #######.
func isFault(cell string) bool {
	switch cell {
	case "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#ERROR!", "#SPILL!", "#CALC!":
		return true
	}
	return len(cell) >= 3 && strings.Trim(cell, "#") == ""
}

// misread says what a spreadsheet made of a cell; "" if it is the text that it seems to be.
func misread(column, cell string) string {
	switch {
	case isFormula(cell):
		return "is a formula of a spreadsheet; export what it shows, or leave out the = before it"
	case isFault(cell):
		return "is what a spreadsheet shows in place of a value that it does not have; correct it there, and export it again"
	case column == idColumn && isShortened(cell):
		return "was shortened by a spreadsheet, which takes it for a number; give that column the format Text and export it again"
	}
	return ""
}

// idColumn has blanks around its texts cut off.
const idColumn = "smart_invite_id"
