package templates

import "time"

// A Change is one thing that an update changed, as data: each language says it in its own way.
type Change struct {
	// What is "title", "time", "place" or "description".
	What string
	// IsTime says that What is "time": true or false. Render sets it, as the next three.
	IsTime bool
	// IsPlace says that What is "place".
	IsPlace bool
	// IsTitle says that What is "title".
	IsTitle bool
	// IsDescription says that What is "description".
	IsDescription bool
	// Old is how it was.
	Old Value
	// New is how it is now.
	New Value
}

// A Value is one side of a [Change]: a time if Start is set, otherwise a text,
// which is empty where there was nothing.
type Value struct {
	// Text is a text on one line, cut to 200 characters: "Board room".
	Text string
	// Time is Start to End in words, by the reader's clocks; nil for a text. Render sets it.
	Time *EventTime
	// Start is as in Data.
	Start time.Time
	// End is as in Data.
	End time.Time
	// AllDay is as in Data.
	AllDay bool
	// TZID is as in Data.
	TZID string
}

// Changes says what is different for a reader, in the order in which a reader wants to know: time,
// place, title, description. Other fields of the two are not compared. The same instants in another
// zone are another time; another spelling of UTC is not. White space at the ends and line breaks
// written differently are no change.
func Changes(before, after Data) []Change {
	var changes []Change
	if !sameTime(before, after) {
		changes = append(changes, Change{What: "time", Old: before.time(), New: after.time()})
	}
	for _, text := range []struct{ what, was, is string }{
		{"place", oneLine(before.Location), oneLine(after.Location)},
		{"title", oneLine(before.Summary), oneLine(after.Summary)},
		{"description", paragraphs(before.Description), paragraphs(after.Description)},
	} {
		if text.was != text.is {
			changes = append(changes, Change{What: text.what, Old: Value{Text: text.was}, New: Value{Text: text.is}})
		}
	}
	return changes
}

// time is the time of the event.
func (d *Data) time() Value {
	return Value{Start: d.Start, End: d.End, AllDay: d.AllDay, TZID: d.TZID}
}

func sameTime(a, b Data) bool {
	if a.AllDay || b.AllDay {
		// Dates have no zone.
		return a.AllDay == b.AllDay && sameDate(a.Start, b.Start) &&
			lastDay(a.Start, a.End).Equal(lastDay(b.Start, b.End))
	}
	return a.Start.Equal(b.Start) && a.End.Equal(b.End) && zoneName(a.Start, a.TZID) == zoneName(b.Start, b.TZID)
}

func (c Change) cleaned() Change {
	return Change{
		What: c.What, Old: c.Old.cleaned(), New: c.New.cleaned(),
		IsTime: c.What == "time", IsPlace: c.What == "place", IsTitle: c.What == "title",
		IsDescription: c.What == "description",
	}
}

func (v Value) cleaned() Value {
	v.Text = shorten(oneLine(v.Text), maxChange)
	v.TZID = shorten(oneLine(v.TZID), maxName)
	return v
}
