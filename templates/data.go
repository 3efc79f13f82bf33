package templates

import "time"

// A Kind is what a mail tells its reader.
type Kind string

const (
	// Invitation asks the reader to an event for the first time.
	Invitation Kind = "invitation"
	// Update says that an event the reader was invited to has changed.
	Update Kind = "update"
	// Cancellation says that the event does not take place.
	Cancellation Kind = "cancellation"
	// Withdrawal says that the event takes place without the reader.
	Withdrawal Kind = "withdrawal"
)

// Data is what a template sees.
type Data struct {
	// Kind is the mail being written, such as "invitation". Render sets it.
	Kind Kind
	// Lang is the language being written, a BCP 47 tag: "en". The caller asks for one, such as
	// "en-GB", whose region orders dates and times; a template sees the language it got.
	Lang string
	// Zone is the reader's zone: America/New_York. Nil is the event's. Where
	// its clocks differ from the event's, times are told by both.
	Zone *time.Location

	// Summary is the event's title: "Board meeting".
	Summary string
	// Description is the event's text, of any number of lines:
	// "Discuss plans for the next quarter." HTML in it is shown as text.
	Description string

	// Start is the first instant, in the event's zone: 2027-04-29 09:30 in Europe/London. In
	// time.Local without a TZID it is a floating time (RFC 5545 section 3.3.5, form 1).
	Start time.Time
	// End is the instant after the last: 2027-04-29 10:00 in Europe/London.
	// For AllDay it is midnight of the day after the last one, as DTEND is
	// (RFC 5545 section 3.6.1). The zero time means that no end is known.
	End time.Time
	// AllDay says that Start and End are dates: true or false.
	AllDay bool
	// TZID is the IANA name of the event's zone, "Europe/London", or empty
	// where only the offset of Start is known.
	TZID string

	// Times are the event's time in words: by the clocks of the reader, and,
	// where these differ, of the event's zone. Empty without a Start. Render
	// sets them; {{template "time" .}} makes a sentence of one.
	Times []EventTime

	// Location is where the event takes place: "Board room", or a link such
	// as "https://meet.example.com/abc".
	Location string
	// LocationURL is a link for Location: "https://maps.example.com/?q=1". Templates see it only if
	// it is http or https; where the caller gives none, it is Location if that is such a link.
	LocationURL string
	// URL is the event's own page: "https://example.com/events/1". Templates see
	// it only if it is neither Location nor LocationURL.
	URL string

	// Organizer is who invites: {"Jane Doe", "jane@example.com"}.
	Organizer Person
	// Recipient is who reads the mail: {"Ann Lee", "ann@example.org"}.
	Recipient Person
	// ReplyTo is the address that a person's reply goes to:
	// "hr@example.com". Empty: the mail does not mention replies.
	ReplyTo string

	// Changes is what an Update changed; see [Changes]. Empty otherwise.
	Changes []Change
	// Data is what the caller passes through to templates of their own:
	// {"room_code": "1234"}. A template that asks for a key which is not there
	// is an error; {{with index .Data "key"}} asks for what may be absent.
	Data map[string]any
}

// A Person has a name, an address or both.
type Person struct {
	// Name is the display name: "Jane Doe". May be empty.
	Name string
	// Email is the address: "jane@example.com". May be empty.
	Email string
}

// String is "Jane Doe <jane@example.com>", or the one of the two that is known.
func (p Person) String() string {
	switch {
	case p.Name == "" || p.Name == p.Email:
		return p.Email
	case p.Email == "":
		return p.Name
	default:
		return p.Name + " <" + p.Email + ">"
	}
}

// Content are a mail's texts.
type Content struct {
	Subject string // one line: "Invitation: Board meeting"
	Text    string // plain text, lines ended by LF
	HTML    string // one HTML document, lines ended by LF
	Lang    string // the language they are in: "en"
}

// cleaned is d as templates see it.
func (d Data) cleaned() Data {
	d.Summary = shorten(oneLine(d.Summary), maxTitle)
	d.Description = shorten(paragraphs(d.Description), maxDescription)
	d.TZID = shorten(oneLine(d.TZID), maxName)
	d.URL = shorten(oneLine(d.URL), maxLink)
	d.ReplyTo = shorten(oneLine(d.ReplyTo), maxAddress)
	d.Organizer = d.Organizer.cleaned()
	d.Recipient = d.Recipient.cleaned()
	d.Location = oneLine(d.Location)
	if d.Location == "" {
		// What is no link is not lost: it is shown as the place.
		d.Location = oneLine(d.LocationURL)
	}
	if d.LocationURL = link(oneLine(d.LocationURL)); d.LocationURL == "" {
		d.LocationURL = link(d.Location)
	}
	d.Location = shorten(d.Location, maxPlace)
	if d.URL == d.Location || d.URL == d.LocationURL {
		d.URL = ""
	}
	d.Data, _ = cleanedData(d.Data).(map[string]any)
	changes := make([]Change, len(d.Changes))
	for i, c := range d.Changes {
		changes[i] = c.cleaned()
	}
	d.Changes = changes
	return d
}

// cleanedData is what JSON can say, with clean texts. Other values, which only a
// program in Go can pass, are its own affair.
func cleanedData(v any) any {
	switch v := v.(type) {
	case string:
		return paragraphs(v)
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = cleanedData(v[i])
		}
		return all
	case map[string]any:
		if v == nil {
			return v
		}
		all := make(map[string]any, len(v))
		for key := range v {
			all[key] = cleanedData(v[key])
		}
		return all
	}
	return v
}

func (p Person) cleaned() Person {
	return Person{Name: shorten(oneLine(p.Name), maxName), Email: shorten(oneLine(p.Email), maxAddress)}
}
