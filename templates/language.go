package templates

import (
	"slices"
	"time"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/ar"
	"github.com/go-playground/locales/ar_LB"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/de_AT"
	"github.com/go-playground/locales/en"
	"github.com/go-playground/locales/en_001"
	"github.com/go-playground/locales/en_CA"
	"github.com/go-playground/locales/en_GB"
	"github.com/go-playground/locales/en_IE"
	"github.com/go-playground/locales/en_IN"
	"github.com/go-playground/locales/en_ZA"
	"github.com/go-playground/locales/es"
	"github.com/go-playground/locales/es_419"
	"github.com/go-playground/locales/es_CO"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/fr_CA"
	"github.com/go-playground/locales/fr_CH"
	"github.com/go-playground/locales/ja"
	"golang.org/x/text/language"
)

// match finds the language to serve for the one that is asked for, and the
// region asked for, which is empty if there is none.
func (s *Set) match(asked string) (lang, region string) {
	tag := language.Make(asked)
	_, i, confidence := s.matcher.Match(tag)
	if confidence == language.No {
		return fallback, ""
	}
	if _, _, r := tag.Raw(); r.String() != "ZZ" {
		region = r.String()
	}
	return s.langs[i], region
}

// calendars has, for each language, the locales of CLDR that have its days and times, and for which
// regions; the last is for all others. Some are left out because the library has them wrong: it has
// no am and pm for en_AU, ar_SA and ar_LY, and not all the months of ar_DZ, ar_MA and ar_TN; they
// are served by their parent in CLDR.
var calendars = map[string][]struct {
	create  func() locales.Translator // its names of zones are not used: some are wrong
	regions []string
}{
	"ar": {{ar_LB.New, []string{"IQ", "JO", "LB", "PS", "SY"}}, {ar.New, nil}},
	"de": {{de_AT.New, []string{"AT"}}, {de.New, nil}},
	"en": {
		{en.New, []string{"US", "PR", "GU", "VI", "AS", "MP", "UM"}},
		{en_001.New, []string{"AU", "NZ", "SG", "HK", "PH", "MY"}},
		{en_CA.New, []string{"CA"}},
		{en_IE.New, []string{"IE"}},
		{en_IN.New, []string{"IN"}},
		{en_ZA.New, []string{"ZA"}},
		{en_GB.New, nil},
	},
	"es": {
		{es.New, []string{"", "ES", "EA", "IC", "PH", "GQ"}},
		{es_CO.New, []string{"CO", "DO", "PA", "PR", "US", "VE"}},
		{es_419.New, nil},
	},
	"fr": {{fr_CA.New, []string{"CA"}}, {fr_CH.New, []string{"CH"}}, {fr.New, nil}},
	"ja": {{ja.New, nil}},
}

// calendarOf writes days and times in a language in a region, which may be empty.
func calendarOf(lang, region string) locales.Translator {
	base, _ := language.Make(lang).Base()
	for _, c := range calendars[base.String()] {
		if c.regions == nil || slices.Contains(c.regions, region) {
			return c.create()
		}
	}
	return iso{en.New()}
}

// iso serves the languages of an overlay whose days are not built in: ISO 8601 reads the same in
// every language. Numbers have the plurals of English.
type iso struct{ locales.Translator }

func (iso) FmtDateFull(t time.Time) string   { return t.Format(time.DateOnly) }
func (iso) FmtTimeShort(t time.Time) string  { return t.Format("15:04") }
func (iso) FmtTimeMedium(t time.Time) string { return t.Format(time.TimeOnly) }
