package zone

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestLoad: a name means the same zone on every machine, or none on any.
func TestLoad(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Europe/London", "UTC", "Asia/Kolkata", "Asia/Calcutta", "America/Argentina/Buenos_Aires",
		"America/Port-au-Prince", "Etc/GMT+5",
		"EST5EDT", "CET", "GMT0", "W-SU", "Europe/Kyiv",
	} {
		location, ok := Load(name)
		if assert.True(t, ok, name) {
			assert.Equal(t, name, location.String())
		}
	}
	for _, name := range []string{
		"", "Local", "local", "localtime", "LOCALTIME", "posixrules", "Factory", "posix/Europe/London",
		"right/Europe/London", "right",
		"zone.tab", "tzdata.zi", "leapseconds", "Europe", "Europe/Atlantis", "Europe/./London", "Europe//London",
		"./Europe/London",
		"../zoneinfo/UTC", "/usr/share/zoneinfo/UTC", "/etc/localtime", "UTC\x00", " UTC", "UTC ",
		"W. Europe Standard Time", "UTC+2",
		strings.Repeat("A", 10_000),
	} {
		_, ok := Load(name)
		assert.False(t, ok, "%.40q", name)
	}
}
