package message_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

// arrived is a mail as a reader sees it. It is taken apart by the standard library, not by the
// composer's.
type arrived struct {
	header             mail.Header
	names              []string // of the header fields, sorted
	text, html         string
	calendar, attached []byte
	calendarType       string // the Content-Type of calendar
}

// parse takes a mail apart and fails unless it is the one tree that clients agree on.
func parse(t require.TestingT, b []byte) arrived {
	msg, err := mail.ReadMessage(bytes.NewReader(b))
	require.NoError(t, err)
	a := arrived{header: msg.Header}
	for name, values := range msg.Header {
		require.Len(t, values, 1, "%s stands there once", name)
		a.names = append(a.names, name)
	}
	slices.Sort(a.names)

	mixed := parts(t, msg.Header.Get("Content-Type"), "multipart/mixed", msg.Body)
	require.Len(t, mixed, 2)
	alternative := parts(t, mixed[0].header.Get("Content-Type"), "multipart/alternative", bytes.NewReader(mixed[0].raw))
	require.Len(t, alternative, 3)
	require.Equal(t, []string{"Content-Type"}, keys(mixed[0].header))
	inner := []string{"Content-Transfer-Encoding", "Content-Type"}
	for i, want := range []string{"text/plain", "text/html", "text/calendar"} {
		media, params, err := mime.ParseMediaType(alternative[i].header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, want, media)
		require.Equal(t, "UTF-8", params["charset"])
		require.Equal(t, inner, keys(alternative[i].header), "no disposition, no Content-ID")
		require.Equal(t, "quoted-printable", alternative[i].header.Get("Content-Transfer-Encoding"))
	}
	a.text = string(decode(t, alternative[0]))
	a.html = string(decode(t, alternative[1]))
	a.calendar = decode(t, alternative[2])
	a.calendarType = alternative[2].header.Get("Content-Type")

	require.Equal(t, `application/ics; name="invite.ics"`, mixed[1].header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="invite.ics"`, mixed[1].header.Get("Content-Disposition"))
	require.Equal(t, []string{"Content-Disposition", "Content-Transfer-Encoding", "Content-Type"},
		keys(mixed[1].header))
	require.Equal(t, "base64", mixed[1].header.Get("Content-Transfer-Encoding"))
	a.attached = decode(t, mixed[1])
	return a
}

type part struct {
	header textproto.MIMEHeader
	raw    []byte
}

func parts(t require.TestingT, contentType, want string, body io.Reader) []part {
	media, params, err := mime.ParseMediaType(contentType)
	require.NoError(t, err)
	require.Equal(t, want, media)
	require.Len(t, params, 1)
	require.LessOrEqual(t, len(params["boundary"]), 70)
	var all []part
	reader := multipart.NewReader(body, params["boundary"])
	for {
		p, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		raw, err := io.ReadAll(p)
		require.NoError(t, err)
		all = append(all, part{p.Header, raw})
	}
}

// decode undoes the transfer encoding and fails if a line is longer than RFC 2045 allows.
func decode(t require.TestingT, p part) []byte {
	for line := range bytes.SplitSeq(p.raw, []byte("\r\n")) {
		require.LessOrEqual(t, len(line), 76)
	}
	var r io.Reader
	switch p.header.Get("Content-Transfer-Encoding") {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(p.raw))
	case "quoted-printable":
		r = quotedprintable.NewReader(bytes.NewReader(p.raw))
	default:
		require.Fail(t, "unexpected transfer encoding")
	}
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return b
}

func keys(h textproto.MIMEHeader) []string {
	var all []string
	for name := range h {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// requireWire fails unless b is what every server takes: CRLF only, ASCII unless allowed, short
// lines, nothing that mbox would change.
func requireWire(t require.TestingT, b []byte, ascii bool) {
	require.Equal(t, bytes.Count(b, []byte("\n")), bytes.Count(b, []byte("\r\n")))
	require.Equal(t, bytes.Count(b, []byte("\r")), bytes.Count(b, []byte("\r\n")))
	require.True(t, bytes.HasSuffix(b, []byte("\r\n")))
	require.NotContains(t, string(b), "\r\nFrom ")
	require.NotContains(t, string(b), "\x00")
	for line := range bytes.SplitSeq(b, []byte("\r\n")) {
		require.LessOrEqual(t, len(line), 78, "%q", line)
	}
	if ascii {
		require.Less(t, slices.Max(b), byte(0x80))
	}
	header, _, _ := strings.Cut(string(b), "\r\n\r\n")
	for word := range strings.FieldsSeq(header) {
		if strings.HasPrefix(word, "=?") {
			require.LessOrEqual(t, len(word), 75, word)
		}
	}
}
