package preview

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/calendar"
	"github.com/invitemailer/invitemailer/internal/safetext"
)

// event is what a calendar would show.
type event struct {
	Cancelled             bool
	Answers               bool // it asks for one
	Title                 string
	Month, Day, Weekday   string // of the leaf
	Times                 []when
	Where, WhereURL       string
	Organizer             string
	Guests                []guest
	More                  int // guests that are not shown
	Description           string
	Repeats               string
	Method, UID, Sequence string
	Stamp                 string
}

// when is a time by the clocks of one zone.
type when struct {
	Label string // whose zone it is
	Text  string
	Zone  string
	// Bar says where on the day from midnight to midnight the event is, in 240 steps; nil if it
	// does not fit into one.
	Bar *bar
}

type bar struct{ From, Length int }

// guest is an attendee.
type guest struct{ Who, Answer string }

// The words of PARTSTAT (RFC 5545 section 3.2.12).
var answers = map[string]string{
	"": "not answered", "NEEDS-ACTION": "not answered", "ACCEPTED": "accepted", "DECLINED": "declined",
	"TENTATIVE": "tentative", "DELEGATED": "delegated",
}

// lookAt turns what a calendar says into what is shown. A reader without a zone of their own sees
// the event's.
func lookAt(c *calendar.Calendar, reader *time.Location) *event {
	e := &event{
		Cancelled: c.Method == "CANCEL" || c.Status == "CANCELLED",
		Title:     line(c.Summary), Where: line(c.Location), WhereURL: link(c.Location),
		Organizer: person(c.Organizer), Repeats: line(c.RecurrenceRule),
		Method: line(c.Method), UID: line(c.UID), Sequence: fmt.Sprint(c.Sequence),
	}
	if !c.HasSequence {
		e.Sequence = "none"
	}
	if !c.DTStamp.IsZero() {
		e.Stamp = c.DTStamp.Format("2006-01-02 15:04:05 UTC")
	}
	e.Description, _ = safetext.Cut(safetext.Text(c.Description), maxText)
	e.More = max(0, len(c.Attendees)-maxGuests)
	for _, a := range c.Attendees[:len(c.Attendees)-e.More] {
		answer, ok := answers[a.PartStat]
		if !ok {
			answer = line(a.PartStat)
		}
		e.Answers = e.Answers || a.RSVP && !e.Cancelled
		e.Guests = append(e.Guests, guest{person(a), answer})
	}
	e.times(c, reader)
	return e
}

func (e *event) times(c *calendar.Calendar, reader *time.Location) {
	if c.Start.IsZero() {
		return
	}
	leaf := c.Start
	switch {
	case c.AllDay:
		e.Times = []when{{Text: days(c.Start, c.End)}}
	case c.Floating:
		e.Times = []when{clock("", c.Start, c.End)}
		e.Times[0].Zone = "by the clocks of wherever the reader is"
	default:
		own := clock("", c.Start, c.End)
		if c.TZID != "" {
			own.Zone = line(c.TZID) + ", " + own.Zone
		}
		e.Times = []when{own}
		if reader == nil {
			break
		}
		theirs := clock("For the reader", c.Start.In(reader), c.End.In(reader))
		theirs.Zone = reader.String() + ", " + theirs.Zone
		if leaf = c.Start.In(reader); theirs.Text == own.Text && offset(leaf) == offset(c.Start) {
			e.Times = []when{theirs}
			e.Times[0].Label = ""
			break
		}
		e.Times[0].Label = "For the event"
		e.Times = []when{theirs, e.Times[0]}
	}
	e.Month, e.Day, e.Weekday = leaf.Format("Jan"), leaf.Format("2"), leaf.Format("Mon")
}

const dayForm = "Monday, 2 January 2006"

func clock(label string, start, end time.Time) when {
	w := when{Label: label, Text: start.Format(dayForm + ", 15:04"), Zone: offset(start)}
	midnight := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC)
	from := start.Hour()*60 + start.Minute()
	w.Bar = &bar{From: from / 6, Length: 2}
	if !end.After(start) {
		return w
	}
	last := time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, time.UTC)
	if last.Equal(midnight) {
		w.Text += end.Format(" – 15:04")
	} else {
		w.Text += end.Format(" – " + dayForm + ", 15:04")
	}
	if offset(start) != offset(end) {
		w.Zone += ", then " + offset(end)
	}
	to := int(last.Sub(midnight).Minutes()) + end.Hour()*60 + end.Minute()
	if to > 24*60 || to <= from {
		w.Bar = nil
		return w
	}
	w.Bar.Length = max(2, (to-from)/6)
	return w
}

// days is the time of an event of whole days, whose end is the day after the last.
func days(start, end time.Time) string {
	n := int(end.Sub(start) / (24 * time.Hour))
	if n <= 1 {
		return start.Format(dayForm) + ", all day"
	}
	return fmt.Sprintf("%s – %s, %d days", start.Format(dayForm), start.AddDate(0, 0, n-1).Format(dayForm), n)
}

func offset(t time.Time) string { return t.Format("UTC-07:00") }

func person(p calendar.Person) string {
	name, email := line(p.Name), line(p.Email)
	switch {
	case name == "" || name == email:
		return email
	case email == "":
		return name
	}
	return name + " <" + email + ">"
}

// link is s if it is a link that a page may have.
func link(s string) string {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return s
}
