package mailer_test

import (
	"context"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/cronofy"
	"github.com/invitemailer/invitemailer/mailer"
	"github.com/invitemailer/invitemailer/mailer/submission"
)

// TestMailHog sends invitations and cancellations to a real MailHog and looks
// at what arrived, with a parser that is not the composer's: the envelope, the
// headers, the tree, and both calendars byte for byte as the API returned them.
func TestMailHog(t *testing.T) {
	t.Parallel()
	smtpAddr, api := startMailHog(t)
	host, port, err := net.SplitHostPort(smtpAddr)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)

	for name, tc := range map[string]struct {
		event  func(*mailer.Invite)
		method mailer.Method
	}{
		"invitation": {},
		"invitation outside ASCII": {event: func(i *mailer.Invite) {
			i.Event.Summary = "Vorstellungsgespräch mit Zoë 🎉 — " + strings.Repeat("lange Überschrift ", 12)
			i.Event.Description = "Bitte bringen Sie mit:\n- Zeugnisse; Lebenslauf, Ausweis\n- \"gute\" Laune\\n"
			i.Organizer.Name = `Müller, "Anna"`
			i.Recipient.Name = "Zoë"
		}},
		"invitation for days": {event: func(i *mailer.Invite) {
			i.Event.Start, i.Event.End = cronofy.EventTime{Time: today.AddDate(0, 1, 0),
				DateOnly: true}, cronofy.EventTime{Time: today.AddDate(0, 1, 3), DateOnly: true}
		}},
		"cancellation": {method: mailer.Cancel},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t, nil)
			smtp, err := submission.New(submission.Config{Host: host, Port: number, TLS: submission.TLSNone})
			require.NoError(t, err)
			defer func() { assert.NoError(t, smtp.Shutdown(context.Background())) }()
			h.cfg.Submitter = smtp
			returned := &lastCalendar{api: h.cfg.API}
			h.cfg.API = returned

			invite := boardMeeting()
			invite.Recipient.Email = newMailhogRecipient(t, api)
			if tc.event != nil {
				tc.event(&invite)
			}
			receipt := h.send(t, invite)
			want := 1
			if tc.method == mailer.Cancel {
				receipt = h.send(t, mailer.Invite{ID: invite.ID, Method: mailer.Cancel,
					Recipient: invite.Recipient, Organizer: invite.Organizer})
				want = 2
			}
			require.Equal(t, mailer.Sent, receipt.Outcome)

			arrived := mailhogMessagesTo(t, api, invite.Recipient.Email)
			require.Len(t, arrived, want)
			for _, got := range arrived {
				assert.Equal(t, "jane@example.com", got.Raw.From)
				assert.Equal(t, []string{invite.Recipient.Email}, got.Raw.To)
			}
			last := readMail(t, arrived[len(arrived)-1].Raw.Data)
			method := "REQUEST"
			if tc.method == mailer.Cancel {
				method = "CANCEL"
			}
			last.assertGolden(t, method, crlf(returned.text()))
			assert.Equal(t, "<"+receipt.MessageID+">", last.header.Get("Message-Id"))
			assert.Equal(t, "auto-generated", last.header.Get("Auto-Submitted"))
			from, err := mail.ParseAddress(last.header.Get("From"))
			require.NoError(t, err)
			assert.Equal(t, invite.Organizer.Name, from.Name)
			assert.Equal(t, invite.Organizer.Email, from.Address)
		})
	}
}

// lastCalendar is an API that remembers the iCalendar text it returned last.
type lastCalendar struct {
	api  mailer.SmartInvites
	mu   sync.Mutex
	last string
}

func (l *lastCalendar) keep(s *cronofy.SmartInvite, err error) (*cronofy.SmartInvite, error) {
	if s != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.last = s.Attachments.ICalendar
	}
	return s, err
}

func (l *lastCalendar) Create(ctx context.Context, r *cronofy.InviteRequest) (*cronofy.SmartInvite, error) {
	return l.keep(l.api.Create(ctx, r))
}

func (l *lastCalendar) Cancel(ctx context.Context, r cronofy.Ref) (*cronofy.SmartInvite, error) {
	return l.keep(l.api.Cancel(ctx, r))
}

func (l *lastCalendar) Remove(ctx context.Context, r cronofy.Ref) (*cronofy.SmartInvite, error) {
	return l.keep(l.api.Remove(ctx, r))
}

func (l *lastCalendar) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// crlf is what the mail may change in a calendar: its line ends.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// received is a mail read by the standard library.
type received struct {
	header mail.Header
	parts  []part
}

// part is a leaf: where it stands, and its decoded bytes.
type part struct {
	path        string
	mediaType   string
	params      map[string]string
	encoding    string
	disposition string
	body        string
}

func decodeHeader(s string) (string, error) { return new(mime.WordDecoder).DecodeHeader(s) }

func readMail(t *testing.T, raw string) *received {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	require.NoError(t, err)
	r := &received{header: m.Header}
	r.walk(t, "", m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"),
		m.Header.Get("Content-Disposition"), m.Body)
	return r
}

func (r *received) walk(t *testing.T, path, contentType, encoding, disposition string, body io.Reader) {
	t.Helper()
	mediaType, params, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	if !strings.HasPrefix(mediaType, "multipart/") {
		switch encoding {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		data, err := io.ReadAll(body)
		require.NoError(t, err)
		r.parts = append(r.parts, part{path, mediaType, params, encoding, disposition, string(data)})
		return
	}
	reader := multipart.NewReader(body, params["boundary"])
	for {
		p, err := reader.NextRawPart()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		r.walk(t, path+strings.TrimPrefix(mediaType, "multipart/")+"/", p.Header.Get("Content-Type"),
			p.Header.Get("Content-Transfer-Encoding"),
			p.Header.Get("Content-Disposition"), p)
	}
}

// assertGolden holds the mail against the one tree that every client
// understands.
func (r *received) assertGolden(t *testing.T, method, calendar string) {
	t.Helper()
	require.Len(t, r.parts, 4)
	for i, want := range []struct{ path, mediaType, encoding string }{
		{"mixed/alternative/", "text/plain", "quoted-printable"},
		{"mixed/alternative/", "text/html", "quoted-printable"},
		{"mixed/alternative/", "text/calendar", "quoted-printable"},
		{"mixed/", "application/ics", "base64"},
	} {
		assert.Equal(t, want.path, r.parts[i].path)
		assert.Equal(t, want.mediaType, r.parts[i].mediaType)
		assert.Equal(t, want.encoding, r.parts[i].encoding)
	}
	invite, attachment := r.parts[2], r.parts[3]
	assert.Equal(t, map[string]string{"charset": "UTF-8", "method": method}, invite.params)
	assert.Empty(t, invite.disposition)
	assert.Equal(t, calendar, invite.body)
	assert.Equal(t, "attachment; filename=\"invite.ics\"", attachment.disposition)
	assert.Equal(t, calendar, attachment.body)
}
