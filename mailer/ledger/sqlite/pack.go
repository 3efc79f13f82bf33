package sqlite

import (
	"strconv"
	"strings"
	"time"
)

// pack makes two columns of many, because each column that is read costs about
// as much as a step through an index: numbers, separated by spaces, in which a
// text stands as its length in bytes, and the texts, one after the other. It takes
// a list of columns with their kinds: int, text, or time, which may be NULL. Both
// are NULL unless the condition holds, if there is one.
func pack(condition, columns string) (sql string) {
	var numbers, words []string
	for column := range strings.SplitSeq(columns, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(column), " ")
		switch kind {
		case "text":
			numbers = append(numbers, "octet_length("+name+")")
			words = append(words, name)
		case "time":
			numbers = append(numbers, "coalesce("+name+", '')")
		default:
			numbers = append(numbers, name)
		}
	}
	number := "concat_ws(' ', " + strings.Join(numbers, ", ") + ")"
	word := "concat(" + strings.Join(words, ", ") + ")"
	if condition != "" {
		number = "iif(" + condition + ", " + number + ", NULL)"
		word = "iif(" + condition + ", " + word + ", NULL)"
	}
	// The driver reads the names of the columns, too, with each query.
	return number + " AS n, " + word + " AS w"
}

// packed hands out what pack packed, in the order of its columns.
type packed struct{ numbers, words string }

func (p *packed) number() (digits string) {
	digits, p.numbers, _ = strings.Cut(p.numbers, " ")
	return digits
}

func (p *packed) int64() int64 {
	n, _ := strconv.ParseInt(p.number(), 10, 64) // SQLite wrote it
	return n
}

func (p *packed) int() int { return int(p.int64()) }

func (p *packed) bool() bool { return p.number() != "0" }

func (p *packed) text() (text string) {
	n := min(p.int(), len(p.words))
	text, p.words = p.words[:n], p.words[n:]
	return text
}

// time reads NULL as the zero time.
func (p *packed) time() time.Time {
	us, err := strconv.ParseInt(p.number(), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
