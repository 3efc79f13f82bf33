package templates

import "time"

// What a [Change] is about.
const (
	ChangedTitle       = "title"
	ChangedTime        = "time"
	ChangedPlace       = "place"
	ChangedDescription = "description"
)

// A Change is one thing that an update changed, as data: each language finds
// its own words for it.
type Change struct {
	// What is "title", "time", "place" or "description".
	What string
	// IsTime says that What is "time": true or false. Render sets it, as the
	// next three.
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
	// Time is Start to End in words, by the reader's clocks; nil for a text.
	// Render sets it.
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

// Facts are what a reader notices of an event. The fields are as in [Data].
type Facts struct {
	Summary, Description, Location string
	Start, End                     time.Time
	AllDay                         bool
	TZID                           string
}

// Changes says what is different for a reader, in the order in which a reader
// wants to know: time, place, title, description. The same instants in another
// zone are another time; another spelling of UTC is not. White space at the
// ends and line breaks written differently are no change.
func Changes(before, after Facts) []Change {
	var changes []Change
	if !sameTime(before, after) {
		changes = append(changes, Change{What: ChangedTime, Old: before.time(), New: after.time()})
	}
	text := func(what, was, is string) {
		if was != is {
			changes = append(changes, Change{What: what, Old: Value{Text: was}, New: Value{Text: is}})
		}
	}
	text(ChangedPlace, oneLine(before.Location), oneLine(after.Location))
	text(ChangedTitle, oneLine(before.Summary), oneLine(after.Summary))
	text(ChangedDescription, paragraphs(before.Description), paragraphs(after.Description))
	return changes
}

func (f Facts) time() Value {
	return Value{Start: f.Start, End: f.End, AllDay: f.AllDay, TZID: f.TZID}
}

func sameTime(a, b Facts) bool {
	if a.AllDay || b.AllDay {
		// Dates have no zone.
		return a.AllDay == b.AllDay && sameDate(a.Start, b.Start) && lastDay(a.Start, a.End).Equal(lastDay(b.Start, b.End))
	}
	return a.Start.Equal(b.Start) && a.End.Equal(b.End) && zoneName(a.Start, a.TZID) == zoneName(b.Start, b.TZID)
}

func (c Change) cleaned() Change {
	return Change{
		What: c.What, Old: c.Old.cleaned(), New: c.New.cleaned(),
		IsTime: c.What == ChangedTime, IsPlace: c.What == ChangedPlace, IsTitle: c.What == ChangedTitle, IsDescription: c.What == ChangedDescription,
	}
}

func (v Value) cleaned() Value {
	v.Text = shorten(oneLine(v.Text), maxChange)
	v.TZID = shorten(oneLine(v.TZID), maxName)
	return v
}
