package sqlite

import (
	"strconv"
	"strings"
	"time"
)

// columns is a list of columns with their kinds: int, text, and time and id, which
// may be NULL. All of them are missing in a row in which the condition, if there is one,
// does not hold.
type columns struct{ condition, list string }

// pack makes one column of many, because each column that is read costs about as
// much as a step through an index: numbers, separated by spaces, in which a text
// stands as its length in bytes and a condition as 1 or 0, then a bar, then the
// texts, one after the other.
func pack(all ...columns) (sql string) {
	var numbers, words []string
	for _, some := range all {
		var n, w []string
		for column := range strings.SplitSeq(some.list, ",") {
			column = strings.TrimSpace(column)
			last := strings.LastIndexByte(column, ' ')
			name, kind := column[:last], column[last+1:]
			switch kind {
			case "text":
				n = append(n, "octet_length("+name+")")
				w = append(w, name)
			case "time", "id":
				n = append(n, "coalesce("+name+", '')")
			default:
				n = append(n, name)
			}
		}
		if some.condition != "" {
			n = []string{some.condition, "iif(" + some.condition + ", concat_ws(' ', " + strings.Join(n, ", ") + "), NULL)"}
			w = []string{"iif(" + some.condition + ", concat(" + strings.Join(w, ", ") + "), '')"}
		}
		numbers, words = append(numbers, n...), append(words, w...)
	}
	// The driver reads the names of the columns, too, with each query.
	return "concat(concat_ws(' ', " + strings.Join(numbers, ", ") + "), '|', " + strings.Join(words, ", ") + ") AS p"
}

// packed hands out what pack packed, in the order of its columns.
type packed struct{ numbers, words string }

func unpack(column string) packed {
	numbers, words, _ := strings.Cut(column, "|")
	return packed{numbers, words}
}

func (p *packed) number() (digits string) {
	digits, p.numbers, _ = strings.Cut(p.numbers, " ")
	return digits
}

// int64 reads NULL as 0.
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
