package cronofy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/cronofy"
)

// A server that answers as the API does. A real program leaves BaseURL out
// and names its data center.
func exampleServer(status int, body string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
}

func Example() {
	server := exampleServer(http.StatusOK, `{
		"smart_invite_id": "interview-42",
		"recipient": {"email": "jo@example.com", "status": "pending"},
		"attachments": {"icalendar": "BEGIN:VCALENDAR\r\n"}
	}`)
	defer server.Close()

	client, err := cronofy.New(cronofy.Config{APIKey: "CRN_secret", BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	start := time.Date(2027, 4, 29, 9, 30, 0, 0, time.UTC)
	invite, err := client.Create(context.Background(), &cronofy.InviteRequest{
		SmartInviteID: "interview-42",
		Recipient:     &cronofy.Recipient{Email: "jo@example.com"},
		Event: &cronofy.Event{
			Summary: "Interview",
			Start:   cronofy.EventTime{Time: start},
			End:     cronofy.EventTime{Time: start.Add(time.Hour)},
			TZID:    "Europe/London",
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(invite.Recipient.Status)
	fmt.Printf("%q\n", invite.Attachments.ICalendar)
	// Output:
	// pending
	// "BEGIN:VCALENDAR\r\n"
}

func ExampleError() {
	server := exampleServer(http.StatusUnprocessableEntity,
		`{"errors":{"event.start":[{"key":"errors.required","description":"required"}]}}`)
	defer server.Close()
	client, err := cronofy.New(cronofy.Config{APIKey: "CRN_secret", BaseURL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	_, err = client.Cancel(
		context.Background(),
		cronofy.Ref{SmartInviteID: "interview-42", Recipient: "jo@example.com"},
	)

	var failure *cronofy.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Status)
		for _, problem := range failure.Problems {
			fmt.Println(problem.Field, problem.Description)
		}
		again, reason := failure.Retryable()
		fmt.Println(again, "-", reason)
	}
	// Output:
	// 422
	// event.start required
	// false - the same request would be refused again: its content has to be fixed
}

func ExampleVerifyCallback() {
	const secret = "CRN_NggYusqPGLxwjw5FHOJYOqSrTPNXy8WQf14OID"
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
			return
		}
		if err := cronofy.VerifyCallback(body, r.Header.Get(cronofy.CallbackHeader), secret); err != nil {
			http.Error(w, "not from Cronofy", http.StatusForbidden)
			return
		}
		callback, err := cronofy.ParseCallback(body)
		if err != nil {
			http.Error(w, "not a callback", http.StatusBadRequest)
			return
		}
		if reply := callback.SmartInvite.Reply; reply != nil {
			fmt.Println(callback.SmartInvite.SmartInviteID, reply.Status)
		}
	})
	body := `{"notification":{"type":"smart_invite"},"smart_invite":{"smart_invite_id":"interview-42",` +
		`"reply":{"email":"jo@example.com","status":"accepted"}}}`
	for _, signature := range []string{cronofy.SignCallback([]byte(body), secret), "forged"} {
		request := httptest.NewRequestWithContext(
			context.Background(),
			http.MethodPost,
			"/callback",
			strings.NewReader(body),
		)
		request.Header.Set(cronofy.CallbackHeader, signature)
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		fmt.Println(response.Code)
	}
	// Output:
	// interview-42 accepted
	// 200
	// 403
}
