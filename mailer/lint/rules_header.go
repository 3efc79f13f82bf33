package lint

import (
	"fmt"
	"io"
	"mime"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/address"
	"github.com/invitemailer/invitemailer/internal/mimetree"
)

// The rules on the header as text: which fields, how they are written, what they can hide.
var headerRules = []Rule{
	{ID: "IM58", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "From, To, Date, Message-ID, Subject and MIME-Version are there once each and can be read; no field is broken; own mail has no unexpected field",
		Why:    "Servers refuse mail without them, or with two; a field that nobody put there is a sign of injection.",
		Source: "RFC 5322 sections 3.6 and 2.2; RFC 2045 section 4; roundcubemail issue 8404",
		Fix:    "Let a mail library write the header, and take line breaks out of every value that comes from outside.",
		check:  checkFields},
	{ID: "IM59", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "Header lines are at most 998 octets (own: 78 where they can be folded); what is not ASCII is in encoded-words of at most 75 characters, whole characters each",
		Why:    "Servers cut longer lines; clients show the rest as garbage.",
		Source: "RFC 5322 section 2.1.1; RFC 2047 sections 2 and 5",
		Fix:    "Fold at spaces, and encode with a library.",
		check: each(parts, func(d *document, r *report, p *mimetree.Part) {
			for i := range p.Fields {
				checkFieldText(r, p, &p.Fields[i])
			}
		})},
	{ID: "IM60", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "Subject and display names have no control, no line separator and no bidi control in them, encoded or not",
		Why:    "They turn text around to look like another, or become line breaks for the next program.",
		Source: "RFC 2047 section 6.2 (they are decoded for display); Unicode Bidi_Control; mastodon issue 1095",
		Fix:    "Take them out before encoding.",
		check: func(d *document, r *report) {
			if f, _ := d.field("Subject"); f != nil {
				checkHidden(r, "Subject", decodeHeader(f.Value))
			}
			for _, name := range addressFields {
				for _, box := range d.mailboxes[name] {
					checkHidden(r, name, box.name)
				}
			}
		}},
	{ID: "IM61", Own: Warning, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "No display name shows a mail address other than its own",
		Why:    "Clients show the name and hide the address, so readers take the one in the name for the sender's.",
		Source: "RFC 5322 section 3.4 (a display name is free text); experience",
		Fix:    "Use the name of a person or organization.",
		check: func(d *document, r *report) {
			for _, name := range addressFields {
				for _, box := range d.mailboxes[name] {
					if address.CleanText(box.name) != "" && address.CleanName(box.name, box.address) == "" {
						r.add(place{header: name}, "the name %s beside the address %s",
							quote(box.name), quote(box.addr))
					}
				}
			}
		}},
	{ID: "IM72", Own: Error, Any: Warning, Origin: Composed, scope: inMail,
		Title:  "Domains are A-labels; a local part beyond ASCII is for SMTPUTF8 only",
		Why:    "Servers without SMTPUTF8 refuse or spoil anything else.",
		Source: "RFC 6531 section 3.2; RFC 5891 section 4.4",
		Fix:    "Convert the domain (bücher.example is xn--bcher-kva.example); ask for an ASCII address where the local part is not.",
		check: func(d *document, r *report) {
			for _, name := range addressFields {
				for _, box := range d.mailboxes[name] {
					at := strings.LastIndexByte(box.addr, '@')
					switch {
					case at < 0:
					case !isASCII(box.addr[at:]):
						r.add(place{header: name}, "the domain of %s is not in A-labels", quote(box.addr))
					case !isASCII(box.addr) && !d.options.SMTPUTF8:
						r.add(place{header: name}, "the local part of %s is not ASCII", quote(box.addr))
					}
				}
			}
		}},
	{ID: "IM78", Own: Error, Any: Error, Origin: Composed, scope: inMail,
		Title:  "All lines end in CRLF, and no line of a body begins with \"From \"",
		Why:    "Servers that guard against smuggling refuse a bare LF; programs that keep mail in mbox files change \"From \" and break signatures.",
		Source: "RFC 5321 section 2.3.8; RFC 4155 appendix A",
		Fix:    "Write CRLF everywhere; encode the F of such lines as =46.",
		check: func(d *document, r *report) {
			crlf := strings.Count(d.text, "\r\n")
			if lf := strings.Count(d.text, "\n") - crlf; lf > 0 && (!d.foreign() || !d.stored) {
				r.add(place{line: lineOfBareLF(d.text)}, "a LF without CR (%d in all)", lf)
			}
			if cr := strings.Count(d.text, "\r") - crlf; cr > 0 {
				r.add(whole, "a CR without LF (%d in all)", cr)
			}
			for _, p := range d.parts {
				if !p.IsMultipart() && (strings.HasPrefix(p.Body, "From ") || strings.Contains(p.Body, "\nFrom ")) {
					r.strict(place{part: p}, "a line begins with \"From \"")
				}
			}
		}},
}

// addressFields are the fields with mailboxes in them.
var addressFields = []string{"From", "Sender", "Reply-To", "To", "Cc"}

// expected are the fields that own mail may have. Cc, Bcc and Precedence have rules of their own.
var expected = []string{
	"auto-submitted", "bcc", "cc", "content-language", "content-transfer-encoding", "content-type",
	"date", "dkim-signature", "from", "in-reply-to", "list-unsubscribe", "list-unsubscribe-post",
	"message-id", "mime-version", "precedence", "references", "reply-to", "sender", "subject", "to",
	"x-auto-response-suppress",
}

// checkFields is IM58.
func checkFields(d *document, r *report) {
	always := []string{"From", "Date", "MIME-Version"} // also in the mail of others
	for _, name := range slices.Concat(always, []string{"To", "Message-ID", "Subject"}) {
		_, n := d.field(name)
		switch where := (place{header: name}); {
		case n == 0 && slices.Contains(always, name):
			r.add(where, "there is none")
		case n == 0:
			r.strict(where, "there is none")
		case n > 1:
			r.add(where, "there are %d", n)
		}
	}
	for i := range d.root.Fields {
		f := &d.root.Fields[i]
		switch {
		case f.Name == "":
			r.add(whole, "this line of the header is no field: %s", quote(f.Raw))
			continue
		case strings.IndexByte(f.Raw, 0) >= 0:
			r.add(place{header: f.Name}, "there is a NUL in it: %s", quote(f.Raw))
		case strings.Count(f.Raw, "\r") != strings.Count(f.Raw, "\r\n"):
			r.add(place{header: f.Name}, "there is a CR in it: %s", quote(f.Raw))
		}
		if !d.foreign() && !slices.Contains(expected, strings.ToLower(f.Name)) {
			r.add(place{header: f.Name}, "nobody expects this field")
		}
	}
	checkReadable(d, r)
}

// checkReadable looks at the values that have a form.
func checkReadable(d *document, r *report) {
	for _, name := range addressFields {
		if f, _ := d.field(name); f != nil {
			if _, err := parseMailboxes(f.Value); err != nil {
				r.strict(place{header: name}, "it is no list of addresses: %s", quote(f.Value))
			}
		}
	}
	if f, _ := d.field("Date"); f != nil {
		if _, err := mail.ParseDate(f.Value); err != nil {
			r.strict(place{header: "Date"}, "it is no date: %s", quote(f.Value))
		}
	}
	if f, _ := d.field("Message-ID"); f != nil && !messageID.MatchString(f.Value) {
		r.strict(place{header: "Message-ID"}, "it is no identifier: %s", quote(f.Value))
	}
}

// messageID is the form of a Message-ID (RFC 5322 section 3.6.4).
var messageID = regexp.MustCompile(`^<[^@< \t][^< \t]*@[^< \t]*[^< \t]>$`)

const (
	maxHeaderLine = 78 // RFC 5322 section 2.1.1
	maxWord       = 75 // RFC 2047 section 2
)

// checkFieldText is IM59 for one field.
func checkFieldText(r *report, p *mimetree.Part, f *mimetree.Field) {
	where := place{header: f.Name, part: p}
	if p.Parent == nil {
		where.part = nil
	}
	length := len(f.Name) + 1
	for line := range strings.SplitSeq(f.Raw, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch length += len(line); {
		case length > mimetree.MaxLine:
			r.add(where, "a line of %d octets", length)
		case length > maxHeaderLine && r.own && canFold(line):
			r.warn(where, "a line of %d octets", length)
		}
		length = 0
	}
	if !isASCII(f.Value) && !onlyInAddresses(f) {
		r.strict(where, "it has characters beyond ASCII that are not encoded: %s", quote(f.Value))
	}
	for _, word := range encodedWord.FindAllString(f.Value, -1) {
		if len(word) > maxWord {
			r.strict(where, "an encoded-word of %d characters", len(word))
		}
		plain, err := decoder.Decode(word)
		if err == nil && hasPrefixFold(word, "=?utf-8?") && !utf8.ValidString(plain) {
			r.strict(where, "an encoded-word ends within a character: %s", quote(word))
		}
	}
}

// canFold reports whether a line would become short enough by folding at its spaces.
func canFold(line string) bool {
	isLong := func(token string) bool { return len(token) >= maxHeaderLine }
	return !slices.ContainsFunc(strings.Fields(line), isLong) && strings.ContainsAny(strings.Trim(line, " \t"), " \t")
}

// onlyInAddresses reports whether what is not ASCII in an address field is in its addresses, which
// no encoded-word may be in (IM72).
func onlyInAddresses(f *mimetree.Field) bool {
	if !slices.ContainsFunc(addressFields, func(name string) bool { return strings.EqualFold(name, f.Name) }) {
		return false
	}
	boxes, err := parseMailboxes(f.Value)
	if err != nil || len(boxes) > 100 {
		return false
	}
	rest := f.Value
	for _, box := range boxes {
		rest = strings.Replace(rest, box.addr, "", 1)
	}
	return isASCII(rest)
}

// checkHidden is IM60 for one text.
func checkHidden(r *report, header, s string) {
	for _, c := range s {
		switch {
		case unicode.IsControl(c) && c != '\t', c == 0x2028, c == 0x2029:
			r.add(place{header: header}, "there is a control character (%U) in %s", c, quote(s))
			return
		case unicode.Is(unicode.Bidi_Control, c):
			r.strict(place{header: header}, "there is a bidi control (%U) in %s", c, quote(s))
			return
		}
	}
}

// lineOfBareLF returns the number of the first line that ends in a LF alone.
func lineOfBareLF(s string) int {
	number := 0
	for line := range strings.Lines(s) {
		if number++; !strings.HasSuffix(line, "\r\n") {
			break
		}
	}
	return number
}

// mailbox is one address of an address header.
type mailbox struct {
	name    string // decoded
	addr    string // as it stands
	address address.Address
	key     string // to compare by; "" if it is no address
}

// decoder decodes encoded-words (RFC 2047). A charset it does not know is passed through as it is.
var decoder = mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}

// decodeHeader returns a header value as a reader sees it.
func decodeHeader(s string) string {
	if plain, err := decoder.DecodeHeader(s); err == nil {
		return plain
	}
	return s
}

func parseMailboxes(value string) ([]mailbox, error) {
	if len(value) > maxAddresses {
		return nil, fmt.Errorf("the address list is longer than %d octets", maxAddresses)
	}
	parser := mail.AddressParser{WordDecoder: &decoder}
	list, err := parser.ParseList(value)
	if err != nil {
		return nil, fmt.Errorf("reading the addresses: %w", err)
	}
	boxes := make([]mailbox, 0, len(list))
	for _, a := range list {
		box := mailbox{name: a.Name, addr: a.Address}
		box.address, _ = address.Parse(a.Address)
		box.key = box.address.Key()
		boxes = append(boxes, box)
	}
	return boxes, nil
}

// domain returns what follows the last @.
func domain(key string) string { return key[strings.LastIndexByte(key, '@')+1:] }

// encodedWord is an encoded-word (RFC 2047 section 2) as far as its form goes.
var encodedWord = regexp.MustCompile(`(?s)=\?[^?]*\?[^?]*\?.*?\?=`)
