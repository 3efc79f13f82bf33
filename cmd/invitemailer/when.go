package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// age is a span of time on the command line, such as 36h or 30d. A day is 24
// hours.
type age time.Duration

const (
	day     = 24 * time.Hour
	maxDays = 36_500
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *age) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > maxDays {
			return fmt.Errorf("%q is no number of days; use one such as 30d", text)
		}
		*a = age(n) * age(day)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no span of time; use one such as 36h or 30d", text)
	}
	*a = age(d)
	return nil
}

// instant is a date or a time on the command line. A date is its midnight UTC.
type instant struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *instant) UnmarshalText(text []byte) (err error) {
	layout := time.RFC3339
	if len(text) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	if i.Time, err = time.Parse(layout, string(text)); err != nil {
		return fmt.Errorf("%q is no date; use one such as 2027-04-29, or a time such as 2027-04-29T09:30:00Z", text)
	}
	return nil
}
