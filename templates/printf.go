package templates

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// maxFormatted is how many bytes a printf may come to before it is tried, as
// they cannot be counted while package fmt writes them. It is far more than
// piece lets pass, because the estimate is rough.
const maxFormatted = 16 << 20

// printf is fmt.Sprintf held to a size, by an estimate before and by the text
// itself after: the data of a template, which a record brings, may have widths
// and the format in it.
func printf(format string, args ...any) (string, error) {
	if n := formatted(format, args); n > maxFormatted {
		return "", fmt.Errorf("a text of perhaps %d bytes is more than a mail holds; print less at once, at most %d",
			n, maxPiece)
	}
	return piece(fmt.Sprintf(format, args...))
}

var digits = regexp.MustCompile("[0-9]+")

// formatted is at least the size of what fmt.Sprintf returns: as if each verb
// wrote the largest argument, with the largest number that there is as width
// and as precision, for each element of one.
func formatted(format string, args []any) int64 {
	const (
		longest = 1_000_000 // package fmt takes no larger width and precision
		growth  = 12        // bytes at most that a verb such as %+q or %#v makes of one
		words   = 64        // of package fmt, for a verb that it cannot obey
	)
	var widest, largest, all int64
	for _, number := range digits.FindAllString(format, -1) {
		n, _ := strconv.ParseInt(number, 10, 64) // the largest int64 if it is larger
		widest = max(widest, min(n, longest))
	}
	elements := int64(1)
	for _, arg := range args {
		if strings.Contains(format, "*") {
			widest = max(widest, min(magnitude(arg), longest))
		}
		n, most := size(arg)
		largest, elements, all = max(largest, n), max(elements, most), min(all+n, maxFormatted)
	}
	total := int64(len(format)) + growth*all // what is left over is written at the end
	verb := words + growth*largest + 2*widest*elements
	return total + int64(strings.Count(format, "%"))*min(verb, maxFormatted)
}

// size is about how long a value is when it is printed, and how many elements
// it has at most.
func size(v any) (bytes, elements int64) {
	const small = 64 // a number, or the words for what cannot be printed
	if s, ok := v.(string); ok {
		return small + int64(len(s)), 1
	}
	text := fmt.Sprint(v)
	return small + int64(len(text)), 2 * int64(1+strings.Count(text, " ")) // keys and values
}

// magnitude is how wide a verb becomes that takes its width from a value.
func magnitude(v any) int64 {
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return max(r.Int(), -max(r.Int(), -math.MaxInt64))
	case r.CanUint():
		return int64(min(r.Uint(), math.MaxInt64))
	}
	return 0
}
