package templates

import (
	"strings"
	"unicode/utf8"
)

// columns is how long a line of the letter gets; RFC 5322 section 2.1.1 wants
// at most 78.
const columns = 76

// wrap lays out a letter: lines broken at spaces, a continued line indented as
// its first one was, values after a tab aligned over neighbouring lines, no
// white space at the end of a line, and no more than one empty line in a row.
// A word longer than a line, such as a URL, stays whole.
func wrap(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/16)
	all := strings.Split(strings.Trim(s, "\n"), "\n")
	width, empty := 0, false
	for i, line := range all {
		label, value, field := strings.Cut(line, "\t")
		if !field {
			width = 0
			line = strings.TrimRight(line, " ")
			if line == "" {
				if !empty {
					b.WriteByte('\n')
				}
				empty = true
				continue
			}
			empty = false
			value = strings.TrimLeft(line, " ")
			indent := len(line) - len(value)
			fill(&b, line[:indent], indent, value)
			continue
		}
		empty = false
		if width == 0 {
			width = labelWidth(all[i:])
		}
		pad := width - utf8.RuneCountInString(label)
		fill(&b, label+strings.Repeat(" ", pad), width, value)
	}
	return b.String()
}

// labelWidth is the column at which the values of a block of fields begin.
func labelWidth(block []string) int {
	width := 0
	for _, line := range block {
		label, _, field := strings.Cut(line, "\t")
		if !field {
			break
		}
		width = max(width, utf8.RuneCountInString(label))
	}
	return width + 2
}

// fill writes text after a prefix, continued on lines indented by indent.
func fill(b *strings.Builder, prefix string, indent int, text string) {
	text = strings.TrimRight(text, " ")
	if text == "" {
		b.WriteString(strings.TrimRight(prefix, " "))
		b.WriteByte('\n')
		return
	}
	room := max(columns-indent, columns/3)
	for {
		b.WriteString(prefix)
		head, tail := breakLine(text, room)
		b.WriteString(head)
		b.WriteByte('\n')
		if tail == "" {
			return
		}
		text, prefix = tail, strings.Repeat(" ", indent)
	}
}

// breakLine cuts text at the last space that leaves at most room code points
// before it, or at the first space at all.
func breakLine(text string, room int) (head, tail string) {
	if len(text) <= room {
		return text, ""
	}
	count, cut := 0, -1
	for i, r := range text {
		if r == ' ' {
			cut = i
		}
		if count++; count > room && cut > 0 {
			return strings.TrimRight(text[:cut], " "), strings.TrimLeft(text[cut:], " ")
		}
	}
	return text, ""
}
