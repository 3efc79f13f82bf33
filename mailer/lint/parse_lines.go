package lint

import "github.com/invitemailer/invitemailer/internal/mimetree"

// lines is what is seen of the lines of a calendar while they are read.
type lines struct {
	bareLF, bareCR tally
	long, veryLong tally // over 75, over 998 octets
	control        tally
	badUTF8        tally // of the logical line, for a fold may cut through a character
	// unfinished: the last line has no line end.
	unfinished int
	number     int // of the last line
}

// tally counts lines and keeps the numbers of the first.
type tally struct {
	first []int
	n     int
}

func (t *tally) see(line int) {
	if t.n++; len(t.first) < maxPerRule {
		t.first = append(t.first, line)
	}
}

// report adds a finding for each line, through one of the report's methods.
func (t *tally) report(d *document, put func(place, string, ...any), what string) {
	for _, line := range t.first {
		put(d.at(line), "%s", what)
	}
	for range t.n - len(t.first) {
		put(d.at(t.first[len(t.first)-1]), "%s", what) // only counted
	}
}

// maxContentLine is the length from which RFC 5545 section 3.1 wants a line folded.
const maxContentLine = 75

// look looks at a line as it is folded, and at its line end.
func (l *lines) look(line string, number int, end string) {
	l.number = number
	switch end {
	case "", "\r":
		l.unfinished = number
	case "\n":
		l.bareLF.see(number)
	}
	if len(line) > maxContentLine {
		l.long.see(number)
		if len(line) > mimetree.MaxLine {
			l.veryLong.see(number)
		}
	}
	for i := range len(line) {
		if c := line[i]; c < ' ' && c != '\t' || c == 0x7f {
			if c == '\r' {
				l.bareCR.see(number)
			} else {
				l.control.see(number)
			}
			break
		}
	}
}
