package cronofy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// vectors are the signatures of {"example":"well-known"} that Cronofy's
// documentation and SDKs publish, by secret.
var vectors = map[string]string{
	"CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID": "5DxentQi5YSXODEzTVv06sRwJ3pULIz1KrYv20qxEK0=",
	"CRN_nGlYDFXwfSXgB9rvGNBJyfE454GGPtWIbNuPwr": "BmQmWVuZ70ILWjr1CAt5oC7YOolgnku4WZtlrKfx/6k=",
	"pDY0Oi7TJSP2hfNmZNkm5":                      "6r2/HjBkqymGegX0wOfifieeUXbbHwtV/LohHS+jv6c=",
}

var wellKnown = []byte(`{"example":"well-known"}`)

func TestPublishedSignatures(t *testing.T) {
	t.Parallel()
	for secret, signature := range vectors {
		assert.Equal(t, signature, SignCallback(wellKnown, secret))
		assert.NoError(t, VerifyCallback(wellKnown, signature, secret))
	}
}

// While a secret is replaced there are several signatures, several secrets,
// or both: one pair that fits is enough, and nothing less.
func TestVerifyCallback(t *testing.T) {
	t.Parallel()
	const (
		first, second = "CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID", "pDY0Oi7TJSP2hfNmZNkm5"
		other         = "CRN_nGlYDFXwfSXgB9rvGNBJyfE454GGPtWIbNuPwr"
	)
	tests := map[string]struct {
		header  string
		secrets []string
		body    string
		fits    bool
	}{
		"first of two":  {header: vectors[first] + "," + vectors[second], secrets: []string{first}, fits: true},
		"second of two": {header: vectors[second] + "," + vectors[first], secrets: []string{first}, fits: true},
		"trimmed": {
			header:  "  " + vectors[second] + " ,\t" + vectors[first] + " ",
			secrets: []string{first},
			fits:    true,
		},
		"two secrets":          {header: vectors[first], secrets: []string{other, first}, fits: true},
		"rubbish beside it":    {header: "%%%,," + vectors[first], secrets: []string{first}, fits: true},
		"another secret":       {header: vectors[first], secrets: []string{other}},
		"another body":         {header: vectors[first], secrets: []string{first}, body: `{"example":"well-known" }`},
		"no header":            {secrets: []string{first}},
		"no secret":            {header: vectors[first]},
		"empty secret":         {header: SignCallback(wellKnown, ""), secrets: []string{""}},
		"cut":                  {header: vectors[first][:20], secrets: []string{first}},
		"without padding":      {header: vectors[first][:43], secrets: []string{first}},
		"lower case":           {header: "5dxentqi5ysxodeztvv06srwj3puliz1kryv20qxek0=", secrets: []string{first}},
		"the secret as header": {header: first, secrets: []string{first}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := wellKnown
			if test.body != "" {
				body = []byte(test.body)
			}
			err := VerifyCallback(body, test.header, test.secrets...)
			if test.fits {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrSignature)
			assert.NotContains(t, err.Error(), first)
		})
	}
}

func TestParseCallback(t *testing.T) {
	t.Parallel()
	got, err := ParseCallback(readTestdata(t, "callback.json"))
	require.NoError(t, err)
	paris := func(minute int) EventTime {
		return EventTime{Time: time.Date(2018, 10, 1, 21, minute, 0, 0, time.UTC), TZID: "Europe/Paris"}
	}
	assert.Equal(t, &Callback{
		Notification: Notification{Type: CallbackSmartInvite},
		SmartInvite: CallbackInvite{
			SmartInviteID: "example_id",
			CallbackURL:   "http://www.example.com",
			Recipient: &Participant{
				Email: "example@example.com", Status: StatusTentative, Comment: "example comment",
				Proposal: &Proposal{Start: paris(0), End: paris(30)},
			},
			Reply: &Participant{Email: "colleague@example.com", Status: StatusAccepted},
		},
	}, got)

	got, err = ParseCallback([]byte(` {"notification":{"type":"news","more":1},"channel":{}}`))
	require.NoError(t, err, "unknown types and fields are the API's right")
	assert.Equal(t, "news", got.Notification.Type)

	for _, body := range []string{"", "null", "[]", `"text"`, `{"notification":5}`, `{`, `{}{}`} {
		_, err := ParseCallback([]byte(body))
		assert.Error(t, err, body)
	}
}
