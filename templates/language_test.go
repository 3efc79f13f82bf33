package templates

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	set, err := New()
	require.NoError(t, err)
	for asked, want := range map[string][2]string{
		"": {"en", ""}, "en": {"en", ""}, "en-US": {"en", "US"}, "EN-gb": {"en", "GB"},
		"de": {"de", ""}, "de-AT": {"de", "AT"}, "de_CH": {"de", "CH"}, "gsw": {"de", ""}, "de-Latn-LI": {"de", "LI"},
		"fr-CA": {"fr", "CA"}, "es-419": {"es", "419"}, "ja-JP": {"ja", "JP"}, "ar-EG": {"ar", "EG"},
		"pt": {"en", ""}, "pt-BR": {"en", ""}, "zh-Hant": {"en", ""}, "fa": {"en", ""}, "he": {"en",
			""}, "und": {"en", ""}, "!": {"en", ""},
	} {
		lang, region := set.match(asked)
		assert.Equal(t, want, [2]string{lang, region}, "%q", asked)
	}
}

// Regions order dates and hours; English without one has 24 hours.
func TestRegions(t *testing.T) {
	t.Parallel()
	d := boardMeeting(t)
	d.Start = d.Start.Add(5 * time.Hour)
	d.End = d.Start.Add(time.Hour)
	for lang, want := range map[string]string{
		"en":    "Thursday, 29 April 2027, 14:30 – 15:30 (Europe/London, UTC+01:00)",
		"en-US": "Thursday, April 29, 2027, 2:30 pm – 3:30 pm (Europe/London, UTC+01:00)",
		"en-AU": "Thursday, 29 April 2027, 2:30 pm – 3:30 pm (Europe/London, UTC+01:00)",
		"en-CA": "Thursday, April 29, 2027, 2:30 p.m. – 3:30 p.m. (Europe/London, UTC+01:00)",
		"pt-BR": "Thursday, 29 April 2027, 14:30 – 15:30 (Europe/London, UTC+01:00)",
		"de-CH": "Donnerstag, 29. April 2027, 14:30 – 15:30 Uhr (Europe/London, UTC+01:00)",
		"fr-CA": "jeudi 29 avril 2027, de 14 h 30 à 15 h 30 (Europe/London, UTC+01:00)",
		"es-US": "jueves, 29 de abril de 2027, 2:30 p.\u00a0m. – 3:30 p.\u00a0m. (Europe/London, UTC+01:00)",
		"ar-LB": "الخميس، 29 نيسان 2027، 2:30 م – 3:30 م (Europe/London, UTC+01:00)",
	} {
		d.Lang = lang
		assert.Contains(t, visible(t, render(t, Invitation, d).HTML), flat(want), lang)
	}
	d.Start = time.Date(2027, 1, 29, 9, 30, 0, 0, time.UTC)
	d.Lang = "de-AT"
	assert.Contains(t, render(t, Invitation, d).Text, "Freitag, 29. Jänner 2027")
}

// The library lacks months, hours or halves of the day in some locales. None of
// these is used.
func TestCalendarsAreWhole(t *testing.T) {
	t.Parallel()
	regions := []string{"", "AT", "AU", "CA", "CH", "CO", "DE", "DZ", "EG", "GB", "IE", "IN", "IQ", "LB", "LY", "MA",
		"MX", "NZ", "SA", "SY", "TN", "US", "ZA", "419"}
	for lang := range readers() {
		for _, region := range regions {
			c := calendarOf(lang, region)
			_, unknown := c.(iso)
			require.False(t, unknown, lang)
			locale := c.Locale()
			require.True(t, strings.HasPrefix(locale, lang), locale)
			texts := map[string]bool{}
			for month := range 12 {
				text := c.FmtDateFull(time.Date(2027, time.Month(month+1), 1, 0, 0, 0, 0, time.UTC))
				texts[strings.TrimRight(text, "0123456789")] = true
				assert.Contains(t, text, "2027", locale)
			}
			for day := range 7 {
				texts[c.FmtDateFull(time.Date(2027, 8, 2+day, 0, 0, 0, 0, time.UTC))] = true
			}
			assert.Len(t, texts, 19, locale)
			hours := map[string]bool{}
			for hour := range 24 {
				text := c.FmtTimeShort(time.Date(2027, 8, 2, hour, 5, 0, 0, time.UTC))
				assert.Equal(t, strings.TrimSpace(text), text, locale)
				hours[text] = true
			}
			assert.Len(t, hours, 24, locale)
		}
	}
	// Months in the right places, where the library has been seen to move them.
	assert.Contains(t, calendarOf("ar", "MA").FmtDateFull(time.Date(2027, 4, 29, 0, 0, 0, 0, time.UTC)), "أبريل")
}

// A text that a language lacks would be read in English.
func TestEveryTextInEveryLanguage(t *testing.T) {
	t.Parallel()
	set, err := New()
	require.NoError(t, err)
	read := func(names ...string) trees {
		all := trees{}
		for _, name := range names {
			require.NoError(t, set.read(all, name))
		}
		return all
	}
	require.Len(t, set.langs, len(readers()))
	for _, lang := range set.langs {
		require.Contains(t, readers(), lang)
		for _, kind := range kinds() {
			english, theirs := read("en/"+wordsFile, "en/"+kindFile(kind)), read(lang+"/"+wordsFile,
				lang+"/"+kindFile(kind))
			for name, tree := range english {
				require.Contains(t, theirs, name, "%s of %s", kind, lang)
				same := name == "dir" || name == "label-description" || name == "colon" || name == "closing" ||
					name == "person"
				if lang != "en" && !same {
					assert.NotEqual(t, tree.Root.String(), theirs[name].Root.String(),
						"%s of the %s in %s is English", name, kind, lang)
				}
			}
			for name := range theirs {
				assert.Contains(t, english, name, "%s of %s is called by nobody", kind, lang)
			}
		}
	}
}

func TestMissingTextIsEnglish(t *testing.T) {
	t.Parallel()
	set, err := New(fstest.MapFS{
		"it/invitation.tmpl": {Data: []byte(`{{define "subject"}}Invito: {{template "title" .}}{{end}}`)},
	})
	require.NoError(t, err)
	d := boardMeeting(t)
	d.Lang = "it-CH"
	words, err := set.Render(Invitation, d)
	require.NoError(t, err)
	assert.Equal(t, "Invito: Board meeting", words.Subject)
	assert.Equal(t, "it", words.Lang)
	assert.Contains(t, words.Text, "Jane Doe invites you to an event.")
	assert.Contains(t, words.Text, "2027-04-29, 09:30 – 10:00 (Europe/London, UTC+01:00)",
		"days of a language that is not built in")
	require.NoError(t, set.Validate())
}

// said is what each language must say, besides the event itself.
type said struct {
	dir                string
	time, eventTime    string // in the reader's zone and in the event's
	oldTime            string
	prefixes           [4]string // of the subjects, in the order of kinds
	cancelled, without string    // the first words of the last two
	answer             []string
}

func expectations() map[string]said {
	return map[string]said{
		"en": {"ltr", "Thursday, 29 April 2027, 09:30 – 10:00 (Europe/London, UTC+01:00)", "",
			"Before: Wednesday, 28 April 2027, 09:30",
			[4]string{"Invitation: ", "Updated invitation: ", "Cancelled: ",
				"Cancelled for you: "}, "Cancelled: ", "Your invitation is cancelled.",
			[]string{"Accept", "Tentative", "Decline"}},
		"de": {"ltr", "Donnerstag, 29. April 2027, 10:30 – 11:00 Uhr (Europe/Berlin, UTC+02:00)",
			"09:30 – 10:00 Uhr (Europe/London, UTC+01:00)", "Bisher: Mittwoch, 28. April 2027, 10:30",
			[4]string{"Einladung: ", "Aktualisierte Einladung: ", "Abgesagt: ",
				"Für Sie abgesagt: "}, "Abgesagt: ", "Ihre Einladung ist abgesagt.",
			[]string{"Zusagen", "Mit Vorbehalt", "Ablehnen"}},
		"fr": {"ltr", "jeudi 29 avril 2027, de 10:30 à 11:00 (Europe/Paris, UTC+02:00)",
			"de 09:30 à 10:00 (Europe/London, UTC+01:00)", "Avant : mercredi 28 avril 2027, de 10:30",
			[4]string{"Invitation : ", "Invitation mise à jour : ", "Annulé : ",
				"Annulé pour vous : "}, "Annulé : ", "Votre invitation est annulée.",
			[]string{"Accepter", "Provisoire", "Refuser"}},
		"es": {"ltr", "jueves, 29 de abril de 2027, 2:30 – 3:00 (America/Mexico_City, UTC-06:00)",
			"9:30 – 10:00 (Europe/London, UTC+01:00)", "Antes: miércoles, 28 de abril de 2027, 2:30",
			[4]string{"Invitación: ", "Invitación actualizada: ", "Cancelado: ",
				"Cancelado para usted: "}, "Cancelado: ", "Su invitación ha sido cancelada.",
			[]string{"Aceptar", "Provisional", "Rechazar"}},
		"ja": {"ltr", "2027年4月29日木曜日 17:30～18:00（Asia/Tokyo, UTC+09:00）", "9:30～10:00（Europe/London, UTC+01:00）",
			"変更前：2027年4月28日水曜日 17:30",
			[4]string{"招待：", "更新された招待：", "キャンセル：", "ご招待のキャンセル："}, "キャンセル：", "ご招待はキャンセルされました。", []string{"承諾", "仮承諾",
				"辞退"}},
		"ar": {"rtl", "الخميس، 29 أبريل 2027، 11:30 ص – 12:00 م (Asia/Riyadh, UTC+03:00)",
			"9:30 ص – 10:00 ص (Europe/London, UTC+01:00)", "سابقًا: الأربعاء، 28 أبريل 2027، 11:30",
			[4]string{"دعوة: ", "دعوة محدثة: ", "ملغى: ",
				"ملغى بالنسبة إليكم: "}, "ملغى: ", "دعوتكم ملغاة.", []string{"قبول", "مبدئي", "رفض"}},
	}
}

// unbroken is a text without the white space that wrapping puts in and, in
// Japanese, has no space to put it for.
func unbroken(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

func TestEveryLanguageSaysTheEssentials(t *testing.T) {
	t.Parallel()
	for lang, want := range expectations() {
		for i, kind := range kinds() {
			t.Run(lang+"/"+string(kind), func(t *testing.T) {
				t.Parallel()
				d := moved(t)
				d.Lang, d.Zone = lang, loadZone(t, readers()[lang])
				words := render(t, kind, d)
				doc := checkPage(t, words.HTML, d)

				assert.Equal(t, lang, words.Lang)
				assert.Equal(t, flat(want.prefixes[i]), strings.TrimSpace(strings.TrimSuffix(flat(words.Subject),
					"Board meeting")))
				assert.Equal(t, words.Subject, textOf(element(t, doc, "title")))
				assert.Equal(t, "Board meeting", textOf(element(t, doc, "h1")))
				for _, name := range []string{"html", "table"} { // some programs drop the first
					attributes := map[string]string{}
					for _, a := range element(t, doc, name).Attr {
						attributes[a.Key] = a.Val
					}
					assert.Equal(t, lang, attributes["lang"])
					assert.Equal(t, want.dir, attributes["dir"])
				}
				for body, text := range map[string]string{"text": unbroken(words.Text),
					"HTML": unbroken(visible(t, words.HTML))} {
					shown := []string{"Board meeting", want.time, want.eventTime, "Board room", "Jane Doe",
						"jane@example.com"}
					never := []string{}
					switch kind {
					case Update:
						shown = append(shown, want.oldTime, "Canteen", "Board breakfast")
						fallthrough
					case Invitation:
						shown = append(append(shown, want.answer...), "invite.ics", "hr@example.com")
					default:
						never = append(append(never, want.answer...), "invite.ics", "hr@example.com", "Canteen")
						first := map[Kind]string{Cancellation: want.cancelled, Withdrawal: want.without}[kind]
						assert.True(t, strings.HasPrefix(text, unbroken(first)), "the first words of the %s: %s",
							body, text)
					}
					for _, s := range shown {
						assert.Contains(t, text, unbroken(s), body)
					}
					for _, s := range never {
						assert.NotContains(t, text, unbroken(s), body)
					}
				}
			})
		}
	}
}

// The reader's hour stands first; the event's own is there if it is another.
func TestTwoZones(t *testing.T) {
	t.Parallel()
	d := boardMeeting(t)
	for zone, want := range map[string][]string{
		"":                   {"Europe/London, UTC+01:00"},
		"Europe/London":      {"Europe/London, UTC+01:00"},
		"Europe/Lisbon":      {"Europe/London, UTC+01:00"}, // the same hour
		"Asia/Tokyo":         {"Asia/Tokyo, UTC+09:00", "Europe/London, UTC+01:00"},
		"Pacific/Kiritimati": {"Pacific/Kiritimati, UTC+14:00", "Europe/London, UTC+01:00"},
	} {
		d.Zone = nil
		if zone != "" {
			d.Zone = loadZone(t, zone)
		}
		e := d
		e.setTimes(calendarOf("en", ""))
		var got []string
		for _, m := range e.Times {
			got = append(got, m.Zone)
		}
		assert.Equal(t, want, got, zone)
	}
	d.Zone = loadZone(t, "Asia/Tokyo")
	allDay := d
	allDay.AllDay = true
	allDay.setTimes(calendarOf("en", ""))
	assert.Len(t, allDay.Times, 1, "a date is the same everywhere")
	floating := d
	floating.Start, floating.TZID = time.Date(2027, 4, 29, 9, 30, 0, 0, time.Local), ""
	floating.setTimes(calendarOf("en", ""))
	assert.Len(t, floating.Times, 1, "so is a floating time")
}

// An event that moves to another zone and stays at its instant is told by the
// clocks of the event: by the reader's, nothing would seem to change.
func TestChangeOfZoneOnly(t *testing.T) {
	t.Parallel()
	d := boardMeeting(t)
	d.Zone = loadZone(t, "America/New_York")
	d.Changes = Changes(
		Data{Start: d.Start, End: d.End, TZID: "Europe/London"},
		Data{Start: d.Start.In(loadZone(t, "Asia/Tokyo")), End: d.End, TZID: "Asia/Tokyo"},
	)
	text := flat(render(t, Update, d).Text)
	assert.Contains(t, text, "Before: Thursday, 29 April 2027, 09:30 – 10:00 (Europe/London, UTC+01:00)")
	assert.Contains(t, text, "Now: Thursday, 29 April 2027, 17:30 – 18:00 (Asia/Tokyo, UTC+09:00)")
}

func TestLongEventsInEveryLanguage(t *testing.T) {
	t.Parallel()
	london := loadZone(t, "Europe/London")
	day := func(month time.Month, day, hour int) time.Time {
		return time.Date(2027, month, day, hour, 0, 0, 0, london)
	}
	night := Data{Start: day(4, 29, 22), End: day(4, 30, 2), TZID: "Europe/London"}
	spring := Data{Start: day(3, 28, 0), End: day(3, 28, 6), TZID: "Europe/London"}
	whole := func(days int) Data {
		return Data{Start: day(4, 29, 0), End: day(4, 29, 0).AddDate(0, 0, days), AllDay: true}
	}
	for lang, want := range map[string][]string{
		"en": {"Thursday, 29 April 2027, 22:00 – Friday, 30 April 2027, 02:00", "at the start, UTC+01:00 at the end",
			"(all day)", "Friday, 30 April 2027 (all day, 2 days)", "3 days", "11 days"},
		"de": {"Donnerstag, 29. April 2027, 22:00 Uhr – Freitag, 30. April 2027, 02:00 Uhr",
			"zu Beginn, UTC+01:00 am Ende", "(ganztägig)", "Freitag, 30. April 2027 (ganztägig, 2 Tage)", "3 Tage",
			"11 Tage"},
		"fr": {"du jeudi 29 avril 2027 à 22:00 au vendredi 30 avril 2027 à 02:00", "au début, UTC+01:00 à la fin",
			"(toute la journée)", "du jeudi 29 avril 2027 au vendredi 30 avril 2027 (2 jours entiers)", "3 jours",
			"11 jours"},
		"es": {"jueves, 29 de abril de 2027, 22:00 – viernes, 30 de abril de 2027, 2:00",
			"al inicio, UTC+01:00 al final", "(todo el día)", "viernes, 30 de abril de 2027 (2 días completos)",
			"3 días", "11 días"},
		"ja": {"2027年4月29日木曜日 22:00～2027年4月30日金曜日 2:00", "開始時 Europe/London, UTC+00:00、終了時 UTC+01:00", "（終日）",
			"2027年4月30日金曜日（終日、2日間）", "3日間", "11日間"},
		"ar": {"الخميس، 29 أبريل 2027، 10:00 م – الجمعة، 30 أبريل 2027، 2:00 ص",
			"عند البداية، وUTC+01:00 عند النهاية", "(طوال اليوم)", "الجمعة، 30 أبريل 2027 (يومان كاملان)",
			"3 أيام كاملة", "11 يومًا كاملًا"},
	} {
		for i, d := range []Data{night, spring, whole(1), whole(2), whole(3), whole(11)} {
			d.Lang = lang
			words := render(t, Invitation, d)
			assert.Contains(t, flat(visible(t, words.HTML)), flat(want[i]), lang)
			assert.Contains(t, unbroken(words.Text), unbroken(want[i]), lang)
		}
	}
}

// No mail has bidirectional controls, not even in a language that is written
// from right to left: in a subject they are a sign of forgery.
func TestNoBidiControls(t *testing.T) {
	t.Parallel()
	set, err := New()
	require.NoError(t, err)
	for sample := range set.Samples() {
		require.NoError(t, sample.Err)
		for _, text := range []string{sample.Content.Subject, sample.Content.Text, sample.Content.HTML} {
			require.False(t, strings.ContainsFunc(text, func(r rune) bool {
				return unicode.Is(unicode.Bidi_Control,
					r)
			}), "%s %s %s", sample.Lang, sample.Kind, sample.Event)
		}
		require.False(t, strings.ContainsFunc(sample.Content.Subject, unicode.IsControl))
		checkPage(t, sample.Content.HTML, sample.Data)
		require.Less(t, len(sample.Content.HTML), maxPage)
	}
	require.True(t, slices.Contains(set.langs, "ar"))
}
