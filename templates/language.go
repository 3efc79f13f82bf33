package templates

import (
	"sync"
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
	if asked == "" || asked == fallback {
		return fallback, ""
	}
	tag := language.Make(asked)
	_, i, confidence := s.matcher().Match(tag)
	if confidence == language.No {
		return fallback, ""
	}
	if _, _, r := tag.Raw(); r.String() != "ZZ" {
		region = r.String()
	}
	return s.tags[i].String(), region
}

// A calendar writes days and times as a language and region do. It has as much
// of locales.Translator as is used; names of zones are not: some are wrong.
type calendar interface {
	FmtDateFull(t time.Time) string
	FmtTimeShort(t time.Time) string
	FmtTimeMedium(t time.Time) string
	CardinalPluralRule(num float64, v uint64) locales.PluralRule
}

// calendars makes a calendar when it is first asked for: each is some 20 kB.
type calendars struct{ made sync.Map } // from a locale to its calendar

func (c *calendars) of(lang, region string) calendar {
	locale := localeOf(lang, region)
	if made, ok := c.made.Load(locale); ok {
		return made.(calendar)
	}
	made, _ := c.made.LoadOrStore(locale, newCalendar(locale))
	return made.(calendar)
}

// localeOf is the locale of CLDR that has the days and times of a language in a
// region. Regions that are not named are written as the language is without
// one. Some are left out because the library has them wrong: it has no am and
// pm for en_AU, ar_SA and ar_LY, and not all the months of ar_DZ, ar_MA and
// ar_TN; they are served by their parent in CLDR.
func localeOf(lang, region string) string {
	base, _ := language.Make(lang).Base()
	switch base.String() {
	case "en":
		switch region {
		case "US", "PR", "GU", "VI", "AS", "MP", "UM":
			return "en"
		case "AU", "NZ", "SG", "HK", "PH", "MY":
			return "en_001"
		case "CA", "IE", "IN", "ZA":
			return "en_" + region
		}
		return "en_GB"
	case "de":
		if region == "AT" {
			return "de_AT"
		}
		return "de"
	case "fr":
		if region == "CA" || region == "CH" {
			return "fr_" + region
		}
		return "fr"
	case "es":
		switch region {
		case "", "ES", "EA", "IC", "PH", "GQ":
			return "es"
		case "CO", "DO", "PA", "PR", "US", "VE":
			return "es_CO"
		}
		return "es_419"
	case "ja":
		return "ja"
	case "ar":
		switch region {
		case "IQ", "JO", "LB", "PS", "SY":
			return "ar_LB"
		}
		return "ar"
	}
	return "" // ISO 8601 reads the same in every language
}

// newCalendar makes a calendar at run time. A table of them would be made by
// every program that imports this package, whether it writes a mail or not.
func newCalendar(locale string) calendar {
	switch locale {
	case "ar":
		return ar.New()
	case "ar_LB":
		return ar_LB.New()
	case "de":
		return de.New()
	case "de_AT":
		return de_AT.New()
	case "en":
		return en.New()
	case "en_001":
		return en_001.New()
	case "en_CA":
		return en_CA.New()
	case "en_GB":
		return en_GB.New()
	case "en_IE":
		return en_IE.New()
	case "en_IN":
		return en_IN.New()
	case "en_ZA":
		return en_ZA.New()
	case "es":
		return es.New()
	case "es_419":
		return es_419.New()
	case "es_CO":
		return es_CO.New()
	case "fr":
		return fr.New()
	case "fr_CA":
		return fr_CA.New()
	case "fr_CH":
		return fr_CH.New()
	case "ja":
		return ja.New()
	}
	return iso{}
}

// iso serves the languages of an overlay whose days are not built in.
type iso struct{}

func (iso) FmtDateFull(t time.Time) string   { return t.Format(time.DateOnly) }
func (iso) FmtTimeShort(t time.Time) string  { return t.Format("15:04") }
func (iso) FmtTimeMedium(t time.Time) string { return t.Format(time.TimeOnly) }
func (iso) CardinalPluralRule(num float64, _ uint64) locales.PluralRule {
	if num == 1 {
		return locales.PluralRuleOne
	}
	return locales.PluralRuleOther
}
