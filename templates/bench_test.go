package templates

import "testing"

// A mail's words; the first Render, which parses, is BenchmarkFirstRender.
func BenchmarkRender(b *testing.B) {
	set, err := New()
	if err != nil {
		b.Fatal(err)
	}
	d := moved(b)
	for _, kind := range allKinds {
		d.Lang = "en"
		b.Run(string(kind), func(b *testing.B) {
			if _, err := set.Render(kind, d); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := set.Render(kind, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A reader abroad: a tag to match, two zones to tell.
func BenchmarkRenderLanguages(b *testing.B) {
	set, err := New()
	if err != nil {
		b.Fatal(err)
	}
	for _, lang := range []string{"en-US", "de-AT", "fr-FR", "es-MX", "ja-JP", "ar-EG"} {
		d := boardMeeting(b)
		d.Lang, d.Zone = lang, loadZone(b, "Asia/Tokyo")
		b.Run(lang, func(b *testing.B) {
			if _, err := set.Render(Invitation, d); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := set.Render(Invitation, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a command with templates of its own pays before the first mail.
func BenchmarkValidate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		set, err := New()
		if err != nil {
			b.Fatal(err)
		}
		if err := set.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

// What a command that sends nothing pays.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(); err != nil {
			b.Fatal(err)
		}
	}
}

// What a command that sends one mail pays.
func BenchmarkFirstRender(b *testing.B) {
	d := boardMeeting(b)
	b.ReportAllocs()
	for b.Loop() {
		set, err := New()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := set.Render(Invitation, d); err != nil {
			b.Fatal(err)
		}
	}
}
