package templates

import (
	"fmt"
	"math"
	"reflect"
	"strings"
)

// maxFormatted is how many bytes a printf may come to before it is tried, as they
// cannot be counted while package fmt writes them. It is far more than piece lets
// pass, because the estimate is rough.
const maxFormatted = 16 << 20

// printf is fmt.Sprintf held to a size, by an estimate before and by the text itself after. Widths and the format
// come from a record, too, as the data of a template.
func printf(format string, args ...any) (string, error) {
	if n := formatted(format, args); n > maxFormatted {
		return "", fmt.Errorf("a text of perhaps %d bytes is more than a mail holds; print less at once, at most %d", n, maxPiece)
	}
	return piece(fmt.Sprintf(format, args...))
}

// formatted is at least the size of what fmt.Sprintf returns: each verb may write
// the largest argument, with its width and its precision for each element of one.
func formatted(format string, args []any) int64 {
	const (
		longest = 1_000_000 // package fmt takes no larger width and precision
		growth  = 12        // bytes at most that a verb such as %+q or %#v makes of one
		words   = 64        // of package fmt, for a verb that it cannot obey
	)
	var widest, largest, all int64
	most := int64(1)
	for _, arg := range args {
		widest = max(widest, min(magnitude(arg), longest))
		n, elements := size(arg)
		largest, most, all = max(largest, n), max(most, elements), min(all+n, maxFormatted)
	}
	total := int64(len(format)) + growth*all // what is left over is written at the end
	for _, verb := range strings.Split(format, "%")[1:] {
		total += words + growth*largest
		var number int64
	flags:
		for _, c := range verb {
			switch {
			case c >= '0' && c <= '9':
				number = min(10*number+int64(c-'0'), longest)
				continue
			case c == '*':
				total += widest * most
			case !strings.ContainsRune(" +-#.[]", c):
				break flags
			}
			total += number * most
			number = 0
		}
		total += number * most
		if total > maxFormatted {
			break
		}
	}
	return total
}

// size is about how long a value is when it is printed, and how many elements it has at most.
func size(v any) (bytes, elements int64) {
	const small = 64 // a number, or the words for what cannot be printed
	switch v := v.(type) {
	case nil, bool, int, int64, float64:
		return small, 1
	case string:
		return small + int64(len(v)), 1
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
