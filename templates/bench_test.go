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
		b.Run(string(kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := set.Render(kind, d); err != nil {
					b.Fatal(err)
				}
			}
		})
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
