package templates

import (
	"strings"
	"time"
)

type hardEvent struct {
	name string
	data Data
}

// hardEvents are events that templates fail at. Zones are fixed offsets: what a
// system knows of zones is no part of a template.
func hardEvents() []hardEvent {
	london := time.FixedZone("Europe/London", 3600)
	tokyo := time.FixedZone("Asia/Tokyo", 9*3600)
	start := time.Date(2027, 4, 29, 9, 30, 0, 0, london)
	end := start.Add(30 * time.Minute)
	plain := Data{
		Summary:     "Board meeting",
		Description: "Discuss plans for the next quarter.\n\nPlease bring the figures.",
		Start:       start, End: end, TZID: "Europe/London",
		Location: "Board room", LocationURL: "https://maps.example.com/?q=board+room&z=1",
		URL:       "https://example.com/events/1",
		Organizer: Person{Name: "Jane Doe", Email: "jane@example.com"},
		Recipient: Person{Name: "Ann Lee", Email: "ann@example.org"},
		ReplyTo:   "hr@example.com",
	}
	plain.Changes = Changes(
		Data{Summary: "Board breakfast", Location: "Canteen", Start: start.AddDate(0, 0, -1),
			End: end.AddDate(0, 0, -1), TZID: plain.TZID},
		plain)

	long := plain
	long.Summary = strings.Repeat("🎉", maxTitle)
	long.Description = strings.Repeat("<\n", maxDescription/2)
	long.Location = strings.Repeat("Room ", 200)
	long.LocationURL = "https://example.com/?" + strings.Repeat("a", maxLink/2)
	long.Organizer.Name = strings.Repeat("J", 500)
	long.Changes = Changes(plain, long)

	hostile := plain
	hostile.Summary = "<script>alert(1)</script>\r\nBcc: all@example.com\u202e"
	hostile.Description = "</p><img src=x onerror=alert(1)>\x00{{.Summary}}"
	hostile.Location, hostile.LocationURL = "javascript:alert(1)", "javascript:alert(1)"
	hostile.URL = "data:text/html,<script>alert(1)</script>"
	hostile.Organizer.Name = `"<b>Jane</b>" <ceo@example.net>`
	hostile.ReplyTo = "a@example.com?bcc=b@example.com"
	hostile.Changes = Changes(plain, hostile)

	rtl := plain
	rtl.Summary, rtl.Location, rtl.LocationURL = "اجتماع مجلس الإدارة (2027)", "قاعة A-12", ""
	rtl.Organizer.Name = "ليلى حداد"
	rtl.Changes = Changes(plain, rtl)

	days := plain
	days.AllDay, days.TZID = true, ""
	days.Start, days.End = time.Date(2027, 4, 29, 0, 0, 0, 0, time.UTC), time.Date(2027, 5, 2, 0, 0, 0, 0, time.UTC)
	days.Changes = Changes(plain, days)

	night := plain
	night.Zone = tokyo
	night.Start = time.Date(2027, 4, 29, 23, 30, 0, 0, london)
	night.End = night.Start.Add(24 * time.Hour)
	night.Changes = Changes(plain, night)

	return []hardEvent{
		{"plain", plain}, {"empty", Data{}}, {"long", long}, {"hostile", hostile},
		{"right to left", rtl}, {"several days", days}, {"across zones and midnight", night},
	}
}
