package pages

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/invitemailer/invitemailer/internal/loopback"
)

// Guard lets requests pass to next that may see it.
//
// With a token, these are the requests that have it: as a Bearer token (RFC 6750), as programs do,
// or as the password of Basic authentication (RFC 7617) with any user name, as browsers can.
// Without one, they are those for a loopback address or localhost by that name: a page from
// elsewhere that points its own name to this machine (DNS rebinding) is not let in.
func Guard(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token)) // of one length, so that time tells nothing of it
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown := sha256.Sum256([]byte(shownToken(r)))
		switch {
		case token == "" && !loopback.Host(r.Host):
			http.Error(w, "this page is for this machine alone: ask for it as localhost, or set a token",
				http.StatusForbidden)
		case token != "" && subtle.ConstantTimeCompare(shown[:], want[:]) != 1:
			w.Header().Add("WWW-Authenticate", `Bearer realm="invitemailer"`)
			w.Header().Add("WWW-Authenticate", `Basic realm="invitemailer, the token as password", charset="UTF-8"`)
			http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func shownToken(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
