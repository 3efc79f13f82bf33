package cronofytest

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/zone"
)

// What a recipient can have answered.
const (
	statusPending   = "pending"
	statusAccepted  = "accepted"
	statusTentative = "tentative"
	statusDeclined  = "declined"
)

// recipient is somebody with an answer.
type recipient struct {
	Email    string    `json:"email"`
	Status   string    `json:"status"`
	Comment  string    `json:"comment,omitempty"`
	Proposal *Proposal `json:"proposal,omitempty"`
	replied  time.Time // DTSTAMP of the last answer that came by mail
}

// Proposal is another time that a recipient asks for.
type Proposal struct {
	Start, End time.Time
	// TZID is an IANA time zone; empty means Etc/UTC.
	TZID string
}

// MarshalJSON writes the documented {"start": {"time", "tzid"}, "end": …}, times with the offset of their zone.
func (p *Proposal) MarshalJSON() ([]byte, error) {
	tzid := p.TZID
	if tzid == "" {
		tzid = "Etc/UTC"
	}
	loc, ok := zone.Load(tzid)
	if !ok {
		return nil, fmt.Errorf("time zone of a proposal: %q is unknown", tzid)
	}
	type local struct {
		Time string `json:"time"`
		TZID string `json:"tzid"`
	}
	at := func(t time.Time) local { return local{t.In(loc).Format("2006-01-02T15:04:05-07:00"), tzid} }
	return json.Marshal(map[string]local{"start": at(p.Start), "end": at(p.End)})
}

// domain is as much of an address as an error may tell.
func domain(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }
