package zone

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestLoad: a name means the same zone on every machine, or none on any.
func TestLoad(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Europe/London", "UTC", "Asia/Kolkata", "Asia/Calcutta", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT+5",
		"EST5EDT", "CET", "GMT0", "W-SU", "Europe/Kyiv",
	} {
		location, ok := Load(name)
		if assert.True(t, ok, name) {
			assert.Equal(t, name, location.String())
		}
	}
	for _, name := range []string{
		"", "Local", "local", "localtime", "LOCALTIME", "posixrules", "Factory", "posix/Europe/London", "right/Europe/London", "right",
		"zone.tab", "tzdata.zi", "leapseconds", "Europe", "Europe/Atlantis", "Europe/./London", "Europe//London", "./Europe/London",
		"../zoneinfo/UTC", "/usr/share/zoneinfo/UTC", "/etc/localtime", "UTC\x00", " UTC", "UTC ", "W. Europe Standard Time", "UTC+2",
		strings.Repeat("A", 10_000),
	} {
		_, ok := Load(name)
		assert.False(t, ok, "%.40q", name)
	}
}

// Names come from calendars that strangers wrote: the memory stays small, and zones are still found.
//
//nolint:paralleltest // it fills what the package remembers
func TestLimit(t *testing.T) {
	kept := loaded
	loaded = make(map[string]*time.Location)
	defer func() { loaded = kept }()
	for i := range most {
		loaded[strings.Repeat("/", i)+"UTC"] = time.UTC
	}
	location, ok := Load("Europe/Oslo")
	assert.True(t, ok)
	assert.Equal(t, "Europe/Oslo", location.String())
	assert.Len(t, loaded, most)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, name := range []string{"America/New_York", "Europe/Berlin", "Asia/Tokyo", "nowhere"} {
				location, ok := Load(name)
				assert.Equal(t, name != "nowhere", ok, name)
				again, _ := Load(name)
				assert.Same(t, location, again, "it is remembered")
			}
		})
	}
	all.Wait()
}
