package cronofytest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/invitemailer/invitemailer/cronofy/cronofytest"
)

// invite stands for the program to be tested: it knows a base URL and a key, and asks for an
// invitation.
func invite(baseURL, key, id, email string) (calendar string, err error) {
	body := fmt.Sprintf(`{
		"smart_invite_id": %q, "recipient": {"email": %q},
		"event": {"summary": "Interview", "start": "2027-04-29T09:30:00Z", "end": "2027-04-29T10:00:00Z",
			"tzid": "Europe/London"}
	}`, id, email)
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
		baseURL+"/v1/smart_invites", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the API says %s", response.Status)
	}
	var answer struct {
		Attachments struct{ ICalendar string }
	}
	err = json.NewDecoder(response.Body).Decode(&answer)
	return answer.Attachments.ICalendar, err
}

// A program that invites people is tested against the simulator: once with the API in trouble,
// once with it well.
func Example() {
	api := cronofytest.New(cronofytest.Options{
		APIKey: "secret",
		Fault:  cronofytest.FaultFirst(1, cronofytest.FaultStatus(http.StatusServiceUnavailable, 0)),
	})
	server := httptest.NewServer(api)
	defer server.Close()

	_, err := invite(server.URL, "secret", "interview-7", "ada@example.com")
	fmt.Println(err)

	calendar, err := invite(server.URL, "secret", "interview-7", "ada@example.com")
	fmt.Println(strings.Contains(calendar, "METHOD:REQUEST"), err)

	err = setStatus(api, "interview-7", "ada@example.com", "accepted", "see you there")
	fmt.Println(err)

	for _, r := range api.Requests() {
		fmt.Println(r.N, r.Method, r.ID, r.Recipients)
	}
	// Output:
	// the API says 503 Service Unavailable
	// true <nil>
	// <nil>
	// 1 POST interview-7 [ada@example.com]
	// 2 POST interview-7 [ada@example.com]
}
