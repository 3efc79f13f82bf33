package cronofytest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	ics "github.com/arran4/golang-ical"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// Whatever is posted, the answer is one that the API could give, and a calendar in it is well
// formed.
func FuzzPost(f *testing.F) {
	f.Add(documented)
	f.Add(
		`{"method":"cancel","recipient":{"email":"cronofy@example.com"},` +
			`"smart_invite_id":"your-unique-identifier-for-invite"}`,
	)
	f.Add(
		`{"recipients":[{"email":"a@b"}],"smart_invite_id":"1","event":{"summary":"\r\n;\u0000",` +
			`"start":"0001-01-01","end":"9999-12-31"}}`,
	)
	f.Add(
		`{"recipient":{"email":"a@b"},"smart_invite_id":"1","event":{"summary":"s","tzid":"Asia/Gaza",` +
			`"start":"0000-01-01T00:00:00Z","end":"9999-12-31T23:59:59Z",
		"url":"x:\\","location":{"lat":"1","long":"2"},"reminders":[{"minutes":1}]},"organizer":{"name":"\"^,\n"}}`,
	)
	f.Fuzz(func(t *testing.T, body string) {
		s := cronofytest.New(cronofytest.Options{Now: noon})
		create(t, s, documented)
		code, answer := post(t, s, body)
		require.Contains(
			t,
			[]int{
				http.StatusOK,
				http.StatusBadRequest,
				http.StatusNotFound,
				http.StatusRequestEntityTooLarge,
				http.StatusUnprocessableEntity,
			},
			code,
		)
		if code != http.StatusOK {
			return
		}
		text := answer["attachments"].(object)["icalendar"].(string)
		assertWellFormed(t, text, false)
		calendar, err := ics.ParseCalendar(strings.NewReader(text))
		require.NoError(t, err)
		require.Len(t, calendar.Events(), 1)
		all := lines(text)
		assert.Equal(t, len(all)-1, slices.Index(all, "END:VCALENDAR"), "a value broke out of its line")
	})
}
