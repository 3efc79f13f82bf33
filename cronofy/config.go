package cronofy

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/invitemailer/invitemailer/internal/loopback"
)

// The API's limits for one application, which are the defaults here
// (https://docs.cronofy.com/developers/faqs/rate-limits).
const (
	DefaultRatePerSecond = 50
	DefaultRatePerMinute = 500
)

const (
	defaultTimeout     = 30 * time.Second
	defaultMaxAttempts = 4
	defaultMaxWait     = 30 * time.Second
	defaultUserAgent   = "invitemailer-cronofy (+https://github.com/invitemailer/invitemailer)"

	maxRate = 100_000 // bounds the memory of the limiter
)

// dataCenters are the API's hosts by name.
var dataCenters = map[string]string{
	"us": "https://api.cronofy.com",
	"au": "https://api-au.cronofy.com",
	"ca": "https://api-ca.cronofy.com",
	"de": "https://api-de.cronofy.com",
	"sg": "https://api-sg.cronofy.com",
	"uk": "https://api-uk.cronofy.com",
}

// Config is what a [Client] is made of. The zero value with an APIKey works.
// Printing or logging a Config shows everything but the key.
type Config struct {
	// APIKey is the application's client_secret. Required.
	APIKey string `json:"-"`

	// DataCenter is the name of the data center that holds the application:
	// us, au, ca, de, sg or uk. Defaults to us.
	DataCenter string
	// BaseURL overrides DataCenter. It is https, or http on a loopback address, and may
	// have a path.
	BaseURL string `json:"-"` // may hold a password until it is checked

	// RatePerMinute and RatePerSecond are the application's limits. 0 means
	// [DefaultRatePerMinute] and [DefaultRatePerSecond]; a negative number means no limit.
	RatePerMinute int
	RatePerSecond int

	// Timeout bounds one attempt, from connecting to the last byte. Defaults to 30 seconds.
	Timeout time.Duration
	// MaxAttempts is how often one call asks the API at most. 1 means that nothing is
	// repeated; what had no answer within Timeout never is. Defaults to 4.
	MaxAttempts int
	// MaxWait is the longest wait that the API may ask for. If it asks for more, the call
	// returns the error at once, and so does every other call until that wait is over.
	// Defaults to 30 seconds.
	MaxWait time.Duration

	// Logger receives every decision about repeating, at level debug, and at level info
	// that an answer has been waited for longer than ten seconds. It never sees the key or
	// an address. Nil is silent.
	Logger *slog.Logger `json:"-"`

	// Transport makes the requests. Nil uses a clone of [http.DefaultTransport] tuned for one host.
	// It may make a POST again by itself: each is marked as idempotent.
	Transport http.RoundTripper `json:"-"`
	// UserAgent defaults to a name of this package.
	UserAgent string
	// Rand gives the jitter, in [0,1), to several goroutines. Nil uses math/rand/v2.
	Rand func() float64 `json:"-"`
}

// ConfigError says what is wrong with one field of a [Config].
type ConfigError struct {
	Field   string
	Problem string // what is wrong and what to do
}

// Error names the field and what is wrong with it.
func (e *ConfigError) Error() string { return "cronofy: " + e.Field + " " + e.Problem }

// withDefaults fills in what was left out and reports every problem at once.
func (c Config) withDefaults() (Config, error) {
	var problems []error
	refuse := func(when bool, field, format string, args ...any) {
		if when {
			problems = append(problems, &ConfigError{Field: field, Problem: fmt.Sprintf(format, args...)})
		}
	}
	notInKey := func(r rune) bool { return r <= ' ' || r > '~' }
	notPrintable := func(r rune) bool { return r < ' ' || r > '~' }

	refuse(c.APIKey == "", "APIKey", "is missing: give the application's client_secret")
	refuse(strings.ContainsFunc(c.APIKey, notInKey), "APIKey",
		"holds a space, a line end or another character that no key has: copy it again")

	c.DataCenter = cmp.Or(c.DataCenter, "us")
	base, known := dataCenters[c.DataCenter]
	refuse(!known, "DataCenter", "%q is not known: use one of %s", c.DataCenter,
		strings.Join(slices.Sorted(maps.Keys(dataCenters)), ", "))
	canonical, err := canonicalBaseURL(cmp.Or(c.BaseURL, base, dataCenters["us"]))
	refuse(err != nil, "BaseURL", "%v", err)
	c.BaseURL = canonical

	refuse(c.MaxAttempts < 0, "MaxAttempts", "is %d: use 1 or more, or 0 for the default", c.MaxAttempts)
	refuse(c.MaxWait < 0, "MaxWait", "is %v: use a positive duration, or 0 for the default", c.MaxWait)
	refuse(c.Timeout < 0, "Timeout", "is %v: use a positive duration, or 0 for the default", c.Timeout)
	const tooFast = "is %d: use at most %d, or -1 for no limit"
	refuse(c.RatePerSecond > maxRate, "RatePerSecond", tooFast, c.RatePerSecond, maxRate)
	refuse(c.RatePerMinute > maxRate, "RatePerMinute", tooFast, c.RatePerMinute, maxRate)
	refuse(strings.ContainsFunc(c.UserAgent, notPrintable), "UserAgent",
		"holds a control character or one outside ASCII: use printable ASCII")

	c.MaxAttempts = cmp.Or(c.MaxAttempts, defaultMaxAttempts)
	c.MaxWait = cmp.Or(c.MaxWait, defaultMaxWait)
	c.RatePerMinute = cmp.Or(c.RatePerMinute, DefaultRatePerMinute)
	c.RatePerSecond = cmp.Or(c.RatePerSecond, DefaultRatePerSecond)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.UserAgent = cmp.Or(c.UserAgent, defaultUserAgent)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c, errors.Join(problems...)
}

// canonicalBaseURL checks a base URL and writes it in one way: lower-case host, no default
// port, no slash at the end. Its errors quote nothing of the URL, which may hold a password.
func canonicalBaseURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", errors.New("cannot be read as a URL: use a form such as https://api.cronofy.com")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	switch {
	case host == "" || u.Opaque != "":
		return "", errors.New("has no host: use a form such as https://api.cronofy.com")
	case u.User != nil:
		return "", errors.New("holds a user name: the key goes into APIKey, nothing into the URL")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("holds a query or a fragment: leave it out")
	case u.Scheme == "http" && !loopback.Host(host):
		return "", errors.New("is plain http: use https (http is for loopback addresses only)")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("is neither https nor http: use https")
	}
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	u.Host = strings.TrimSuffix(net.JoinHostPort(host, port), ":") // brackets for IPv6
	return strings.TrimRight(u.String(), "/"), nil
}

// Format prints a Config without its key, whatever the verb. [encoding/json] leaves the key
// out by the field's tag, so that log/slog shows it in neither of its forms.
func (c Config) Format(f fmt.State, _ rune) {
	key := "missing"
	if c.APIKey != "" {
		key = "set"
	}
	base := "from the data center"
	if c.BaseURL != "" {
		var err error
		if base, err = canonicalBaseURL(c.BaseURL); err != nil {
			base = "not usable"
		}
	}
	_, _ = fmt.Fprintf(f, "cronofy.Config{APIKey: %s, DataCenter: %q, BaseURL: %s, Timeout: %v, "+
		"RatePerSecond: %d, RatePerMinute: %d, MaxAttempts: %d, MaxWait: %v, UserAgent: %q}",
		key, c.DataCenter, base, c.Timeout,
		c.RatePerSecond, c.RatePerMinute, c.MaxAttempts, c.MaxWait, c.UserAgent)
}
