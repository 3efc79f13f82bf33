package templates_test

import (
	"fmt"
	"time"

	"github.com/invitemailer/invitemailer/templates"
)

func ExampleSet_Render() {
	set, err := templates.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	start := time.Date(2027, 4, 29, 9, 30, 0, 0, time.UTC)
	words, err := set.Render(templates.Cancellation, templates.Data{
		Summary:   "Board meeting",
		Start:     start,
		End:       start.Add(30 * time.Minute),
		TZID:      "UTC",
		Location:  "Board room",
		Organizer: templates.Person{Name: "Jane Doe", Email: "jane@example.com"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("Subject:", words.Subject)
	fmt.Println()
	fmt.Print(words.Text)
	// Output:
	// Subject: Cancelled: Board meeting
	//
	// Cancelled: this event does not take place.
	//
	//     Board meeting
	//
	// When:       Thursday, 29 April 2027, 09:30 – 10:00 (UTC)
	// Where:      Board room
	// Organizer:  Jane Doe <jane@example.com>
	//
	// There is nothing to answer. If the event stays in your calendar, please
	// delete it there.
}
