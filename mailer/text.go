package mailer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invitemailer/invitemailer/internal/safetext"
)

// checkText holds a text to a number of characters, if limit is not 0, and finds
// what is none: a control character is the trace of a program that broke the text.
// Calendars cannot have most of them (RFC 5545 section 3.1, CONTROL), mail should
// not (RFC 5322 section 3.5). Line ends of all kinds and tabs are texts' own.
func checkText(field, s string, limit int, p *problems) {
	if !utf8.ValidString(s) {
		p.add(field, "is not UTF-8; convert it")
		return
	}
	if n := utf8.RuneCountInString(s); limit > 0 && n > limit {
		p.add(field, "has %d characters, the limit is %d; shorten it", n, limit)
	}
	if at := strings.IndexFunc(s, isStray); at >= 0 {
		c, _ := utf8.DecodeRuneInString(s[at:])
		p.add(field, "has a control character, %U, as character %d; take it out", c, utf8.RuneCountInString(s[:at])+1)
	}
}

// checkTexts is checkText for whatever holds texts at any depth, as JSON and the
// data of a template do.
func checkTexts(field string, v any, p *problems) {
	switch v := v.(type) {
	case string:
		checkText(field, v, 0, p)
	case []any:
		for _, inner := range v {
			checkTexts(field, inner, p)
		}
	case map[string]any:
		for _, name := range sortedNames(v) {
			checkText(field, name, 0, p)
			checkTexts(field, v[name], p)
		}
	}
}

func isStray(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' }

// refuseBlanks ends recipient i if the id has blanks around it: beside the same id
// without them it would name a second invite for the same person. One that is on
// record so stays itself, or its people would be invited anew.
func (w *work) refuseBlanks(i int) {
	if w.ID == strings.TrimFunc(w.ID, safetext.IsBlank) {
		return
	}
	for n := range w.entries {
		if w.entries[n].Known || w.entries[n].Forgotten {
			w.receipts[i].Findings = addOnce(w.receipts[i].Findings, Finding{Rule: "blank_in_id", Level: LevelWarning, Field: "smart_invite_id",
				Message: "there is a blank before or after the id, with which it is on record; it is kept"})
			return
		}
	}
	w.end(i, Invalid, &Error{Stage: StageRead, Code: CodeInvalid, Field: "smart_invite_id",
		Message: fmt.Sprintf("there is a blank before or after the id, %.80q, which may be one that takes no room; take it out", w.ID)})
}
