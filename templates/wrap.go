package templates

import (
	"strings"

	"golang.org/x/text/width"
)

// columns is how long a line of the letter gets; RFC 5322 section 2.1.1 wants at most 78.
const columns = 76

// wrap lays out a letter: lines broken at spaces, a continued line indented as its first one was,
// values after a tab aligned over neighbouring lines, no white space at the end of a line, and no
// more than one empty line in a row. A word longer than a line, such as a URL, stays whole.
func wrap(s string) string {
	var b strings.Builder
	all := strings.Split(strings.Trim(s, "\n"), "\n")
	column, empty := 0, false
	for i, line := range all {
		label, value, field := strings.Cut(line, "\t")
		switch {
		case field:
			if column == 0 {
				column = labelWidth(all[i:])
			}
			fill(&b, label+strings.Repeat(" ", column-span(label)), column, value)
		case strings.Trim(line, " ") != "":
			column = 0
			value = strings.TrimLeft(line, " ")
			indent := len(line) - len(value)
			fill(&b, line[:indent], indent, value)
		default:
			column = 0
			if !empty {
				b.WriteByte('\n')
			}
			empty = true
			continue
		}
		empty = false
	}
	return b.String()
}

// labelWidth is the column at which the values of a block of fields begin.
func labelWidth(block []string) int {
	column := 0
	for _, line := range block {
		label, _, field := strings.Cut(line, "\t")
		if !field {
			break
		}
		column = max(column, span(label))
	}
	return column + 2
}

// fill writes text after a prefix, continued on lines indented by indent.
func fill(b *strings.Builder, prefix string, indent int, text string) {
	text = strings.TrimRight(text, " ")
	if text == "" {
		b.WriteString(strings.TrimRight(prefix, " ") + "\n")
	}
	room := max(columns-indent, columns/3)
	for text != "" {
		head, tail := breakLine(text, room)
		b.WriteString(prefix + head + "\n")
		text, prefix = tail, strings.Repeat(" ", indent)
	}
}

// breakLine cuts text at the last place that leaves at most room columns before it, or at the first
// place at all: at a space, or between characters of scripts that write none.
func breakLine(text string, room int) (head, tail string) {
	count, cut := 0, -1
	var before rune
	for i, r := range text {
		if r == ' ' || cuts(before, r) {
			cut = i
		}
		if count += columnsOf(r); count > room && cut > 0 {
			return strings.TrimRight(text[:cut], " "), strings.TrimLeft(text[cut:], " ")
		}
		before = r
	}
	return text, ""
}

// cuts reports whether a line may end between two characters: both wide, the
// first no opening, the second none that may not begin a line in Japanese.
func cuts(a, b rune) bool {
	const openings, followers = "「『（［｛〈《【〔", "」』）］｝〉》】〕、。，．・：；！？ー～々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ"
	return a >= 0x2e80 && b >= 0x2e80 && a <= 0xffff && b <= 0xffff && columnsOf(a) == 2 && columnsOf(b) == 2 &&
		!strings.ContainsRune(openings, a) && !strings.ContainsRune(followers, b)
}

// span is how many columns a text takes.
func span(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

// columnsOf is 2 for the characters that are as wide as high (UAX #11), emoji
// aside: these are as wide as programs like.
func columnsOf(r rune) int {
	if r < 0x2e80 || r > 0xffff {
		return 1
	}
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}
