package cronofytest

import "time"

const day = 24 * time.Hour

// onset is the moment from which clocks show another offset.
type onset struct {
	at       time.Time
	from, to int // seconds east of UTC
	name     string
	dst      bool
}

// onsetAt returns the onset of the offset in effect at t; that of a zone's first offset is put long
// before. Beyond its table of transitions [time.Time.ZoneBounds] also begins at years' starts,
// where nothing changes: those are passed over.
func onsetAt(t time.Time) (o onset) {
	o.name, o.to = t.Zone()
	o.from, o.dst = o.to, t.IsDST()
	for {
		o.at, _ = t.ZoneBounds()
		if o.at.IsZero() {
			o.at = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(o.to) * time.Second)
			return o
		}
		t = o.at.Add(-time.Second)
		if _, o.from = t.Zone(); o.from != o.to {
			return o
		}
	}
}

// ambiguous tells whether the clocks at t's place show the same time at another instant too.
func ambiguous(t time.Time) bool {
	_, offset := t.Zone()
	for _, near := range []time.Duration{-day, day} {
		_, other := t.Add(near).Zone()
		again := t.Add(time.Duration(offset-other) * time.Second)
		if _, o := again.Zone(); o == other && other != offset {
			return true
		}
	}
	return false
}

// timezone writes a VTIMEZONE that is right for both instants: with the onsets of the offsets in
// effect at them.
func (w *writer) timezone(tzid string, loc *time.Location, start, end time.Time) {
	w.line("BEGIN:VTIMEZONE")
	w.line("TZID:" + escape(tzid))
	first, last := onsetAt(start.In(loc)), onsetAt(end.In(loc))
	w.observance(first)
	if last != first {
		w.observance(last)
	}
	w.line("END:VTIMEZONE")
}

func (w *writer) observance(o onset) {
	kind := "STANDARD"
	if o.dst {
		kind = "DAYLIGHT"
	}
	w.line("BEGIN:" + kind)
	w.line("TZOFFSETFROM:" + utcOffset(o.from))
	w.line("TZOFFSETTO:" + utcOffset(o.to))
	w.line("TZNAME:" + escape(o.name))
	// What the clocks would have shown, had they not been changed (RFC 5545 §3.6.5).
	w.line("DTSTART:" + o.at.Add(time.Duration(o.from)*time.Second).UTC().Format(localForm))
	w.line("END:" + kind)
}

// utcOffset is seconds east of UTC in the form of RFC 5545 §3.3.14, which has seconds only where
// they are not zero.
func utcOffset(seconds int) string {
	form := "-0700"
	if seconds%60 != 0 {
		form = "-070000"
	}
	return time.Time{}.In(time.FixedZone("", seconds)).Format(form)
}
