package templates

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxFormatted is how many bytes a printf may come to before it is tried, as they cannot be counted
// while package fmt writes them. It is far more than piece lets pass, because the estimate is rough.
const maxFormatted = 16 << 20

// printf is fmt.Sprintf held to a size, by an estimate before and by the text itself after: the
// data of a template, which a record brings, may have widths and the format in it.
func printf(format string, args ...any) (string, error) {
	if n := formatted(format, args); n > maxFormatted {
		return "", fmt.Errorf("a text of perhaps %d bytes is more than a mail holds; print less at once, at most %d",
			n, maxPiece)
	}
	return piece(fmt.Sprintf(format, args...))
}

var digits = regexp.MustCompile("[0-9]+")

// formatted is at least the size of what fmt.Sprintf returns: as if each verb wrote all arguments,
// with the largest number that there is as width and as precision of each element.
func formatted(format string, args []any) int64 {
	const (
		longest = 1_000_000 // package fmt takes no larger width and precision
		growth  = 12        // bytes at most that a verb such as %+q or %#v makes of one
		words   = 64        // of package fmt, for a verb that it cannot obey
	)
	printed, numbers := fmt.Sprintln(args...), format
	if strings.Contains(format, "*") {
		numbers += " " + printed // an argument may be a width
	}
	var widest int64
	for _, number := range digits.FindAllString(numbers, -1) {
		n, _ := strconv.ParseInt(number, 10, 64) // the largest int64 if it is larger
		widest = max(widest, min(n, longest))
	}
	size := int64(len(printed) + words*len(args))
	elements := int64(len(args) + strings.Count(printed, " "))
	verb := words + growth*size + 2*widest*2*elements // keys and values
	// What is left over is written at the end.
	return int64(len(format)) + growth*size + int64(strings.Count(format, "%"))*min(verb, maxFormatted)
}
