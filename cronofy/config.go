package cronofy

import (
	"cmp"
	"encoding/json"
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

// Limits that the API documents and defaults of this package.
const (
	// DefaultRatePerSecond and DefaultRatePerMinute are the API's limits for
	// one application (https://docs.cronofy.com/developers/faqs/rate-limits).
	DefaultRatePerSecond = 50
	DefaultRatePerMinute = 500

	// DefaultTimeout is how long one attempt may take.
	DefaultTimeout = 30 * time.Second
	// DefaultMaxAttempts is how often one call asks the API at most.
	DefaultMaxAttempts = 4
	// DefaultMaxWait is the longest Retry-After that a call waits for.
	DefaultMaxWait = 30 * time.Second
	// DefaultUserAgent is what the client calls itself.
	DefaultUserAgent = "invitemailer-cronofy (+https://github.com/invitemailer/invitemailer)"

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

// DataCenters returns the names that [Config.DataCenter] takes, sorted.
func DataCenters() []string { return slices.Sorted(maps.Keys(dataCenters)) }

// Config is what a [Client] is made of. The zero value with an APIKey works.
// Printing or logging a Config shows everything but the key.
type Config struct {
	// APIKey is the application's client_secret. Required.
	APIKey string

	// BaseURL overrides DataCenter. It is https, or http on a loopback
	// address, and may have a path.
	BaseURL string

	// DataCenter is the name of the data center that holds the application:
	// us, au, ca, de, sg or uk. Defaults to us.
	DataCenter string

	// Logger receives every decision about repeating, at level debug, and once at
	// level info what an answer has been waited for longer than ten seconds. It
	// never sees the key or an address. Nil is silent.
	Logger *slog.Logger

	// MaxAttempts is how often one call asks the API at most. 1 means that
	// nothing is repeated; what had no answer within Timeout never is. Defaults
	// to [DefaultMaxAttempts].
	MaxAttempts int

	// MaxWait is the longest wait that the API may ask for. If it asks for
	// more, the call returns the error at once, and so does every other call
	// until that wait is over. Defaults to [DefaultMaxWait].
	MaxWait time.Duration

	// Rand gives the jitter, in [0,1). It is called from several goroutines.
	// Nil uses math/rand/v2.
	Rand func() float64

	// RatePerMinute and RatePerSecond are the application's limits. 0 means
	// [DefaultRatePerMinute] and [DefaultRatePerSecond]; a negative number
	// means no limit on our side.
	RatePerMinute int
	RatePerSecond int

	// Timeout bounds one attempt, from connecting to the last byte. Waiting
	// for the rate limit or between attempts does not count. Defaults to
	// [DefaultTimeout].
	Timeout time.Duration

	// Transport makes the requests. Nil uses a clone of
	// [http.DefaultTransport] tuned for one host. It may make a POST again by
	// itself: each is marked as idempotent, in the way that [http.Transport]
	// documents.
	Transport http.RoundTripper

	// UserAgent defaults to [DefaultUserAgent].
	UserAgent string
}

// withDefaults fills in what was left out and reports every problem at once.
func (c Config) withDefaults() (Config, error) {
	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("cronofy: "+format, args...))
	}

	switch {
	case c.APIKey == "":
		problem("APIKey is missing: give the application's client_secret")
	case strings.ContainsFunc(c.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }):
		problem("APIKey holds a space, a line end or another character that no key has: copy it again")
	}

	c.DataCenter = cmp.Or(c.DataCenter, "us")
	base, known := dataCenters[c.DataCenter]
	if !known {
		problem("DataCenter %q is not known: use one of %s", c.DataCenter, strings.Join(DataCenters(), ", "))
	}
	canonical, err := canonicalBaseURL(cmp.Or(c.BaseURL, base, dataCenters["us"]))
	if err != nil {
		problem("BaseURL %w", err)
	}
	c.BaseURL = canonical

	if c.MaxAttempts < 0 {
		problem("MaxAttempts is %d: use 1 or more, or 0 for the default", c.MaxAttempts)
	}
	if c.MaxWait < 0 {
		problem("MaxWait is %v: use a positive duration, or 0 for the default", c.MaxWait)
	}
	if c.Timeout < 0 {
		problem("Timeout is %v: use a positive duration, or 0 for the default", c.Timeout)
	}
	if c.RatePerSecond > maxRate {
		problem("RatePerSecond is %d: use at most %d, or -1 for no limit", c.RatePerSecond, maxRate)
	}
	if c.RatePerMinute > maxRate {
		problem("RatePerMinute is %d: use at most %d, or -1 for no limit", c.RatePerMinute, maxRate)
	}
	if strings.ContainsFunc(c.UserAgent, func(r rune) bool { return r < ' ' || r > '~' }) {
		problem("UserAgent holds a control character or one outside ASCII: use printable ASCII")
	}

	c.MaxAttempts = cmp.Or(c.MaxAttempts, DefaultMaxAttempts)
	c.MaxWait = cmp.Or(c.MaxWait, DefaultMaxWait)
	c.RatePerMinute = cmp.Or(c.RatePerMinute, DefaultRatePerMinute)
	c.RatePerSecond = cmp.Or(c.RatePerSecond, DefaultRatePerSecond)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.UserAgent = cmp.Or(c.UserAgent, DefaultUserAgent)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c, errors.Join(problems...)
}

// canonicalBaseURL checks a base URL and writes it in one way: lower-case
// host, no default port, no slash at the end. Its errors quote nothing of the
// URL, which may hold a password.
func canonicalBaseURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", errors.New("cannot be read as a URL: use a form such as https://api.cronofy.com")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	switch {
	case u.Host == "" || host == "" || u.Opaque != "":
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
	switch {
	case port != "":
		u.Host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		u.Host = "[" + host + "]"
	default:
		u.Host = host
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// String shows everything but the key.
func (c Config) String() string {
	key := "missing"
	if c.APIKey != "" {
		key = "set"
	}
	base := "from the data center"
	if c.BaseURL != "" {
		if canonical, err := canonicalBaseURL(c.BaseURL); err == nil {
			base = canonical
		} else {
			base = "not usable"
		}
	}
	return fmt.Sprintf("cronofy.Config{APIKey: %s, DataCenter: %q, BaseURL: %s, Timeout: %v, RatePerSecond: %d, RatePerMinute: %d, MaxAttempts: %d, MaxWait: %v, UserAgent: %q}",
		key, c.DataCenter, base, c.Timeout, c.RatePerSecond, c.RatePerMinute, c.MaxAttempts, c.MaxWait, c.UserAgent)
}

// Format keeps the key out of every verb of package fmt.
func (c Config) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, c.String()) }

// LogValue keeps the key out of logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON keeps the key out of JSON.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }
