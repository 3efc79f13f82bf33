package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/mailer"
)

// This file has the values that flags take: each is an encoding.TextUnmarshaler.

// age is a span of time, such as 36h or 30d. A day is 24 hours.
type age time.Duration

func (a *age) UnmarshalText(text []byte) error {
	const day, maxDays = 24 * time.Hour, 36_500
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

// instant is a date or a time. A date is its midnight UTC.
type instant struct{ time.Time }

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

// mailbox is an address.
type mailbox struct{ address.Address }

func (m *mailbox) UnmarshalText(text []byte) (err error) {
	m.Address, err = address.Parse(string(text))
	return err
}

// atMost is a limit. The zero value is none, and 0, which a script may come out with, must not be
// taken for it.
type atMost int

func (a *atMost) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of at least 1; leave it out for no limit, "+
			"or use --dry-run to send nothing", text)
	}
	*a = atMost(n)
	return nil
}

// onUnknown is what becomes of a mail whose end is unknown. There is no variable for it: a variable
// lasts, and would decide about every later mail too.
type onUnknown mailer.OnUnknown

// The mailer warns of hold, the former name of never.
func (o *onUnknown) UnmarshalText(text []byte) error {
	switch *o = onUnknown(text); mailer.OnUnknown(*o) {
	case mailer.OnUnknownResend, mailer.OnUnknownNever, "hold":
		return nil
	}
	return fmt.Errorf("%q is neither resend nor never; leave it out to have the mail repeated twice at most", text)
}

// failEvery is a fault of every nth request, as N:STATUS.
type failEvery struct {
	n     int
	fault *cronofytest.Fault
}

func (e *failEvery) UnmarshalText(text []byte) error {
	count, what, _ := strings.Cut(string(text), ":")
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no fault; use one such as 10:503: every tenth request gets 503", text)
	}
	e.n = n
	e.fault = map[string]*cronofytest.Fault{
		"empty": cronofytest.FaultEmpty(), "html": cronofytest.FaultHTML(), "drop": cronofytest.FaultDrop(),
		"truncated": cronofytest.FaultTruncated(), "broken": cronofytest.FaultBrokenJSON(),
	}[what]
	if e.fault != nil {
		return nil
	}
	status, err := strconv.Atoi(what)
	if err != nil || status < 400 || status > 599 {
		return errors.New("a request fails with a status from 400 to 599, or empty, html, truncated, broken or drop; use one such as 10:503")
	}
	e.fault = cronofytest.FaultStatus(status, 0)
	return nil
}

// of returns the fault of a request, if it has one.
func (e *failEvery) of(r *cronofytest.Request) *cronofytest.Fault {
	if e.n == 0 || r.N%e.n != 0 {
		return nil
	}
	return e.fault
}
