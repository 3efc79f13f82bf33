// Package zone finds time zones by their names, and is the only place that does. Package time takes
// a name for a file: besides the zones of the IANA database it finds the zone of the machine, which
// is another one on the next machine, and zones that count leap seconds.
package zone

import (
	"strings"
	"time"
	_ "time/tzdata" // The IANA database travels with the program.
)

// longest is more than any name of the database has; the longest has 32 characters.
const longest = 64

// Load returns the zone that has that name in the IANA time zone database, as the database writes it
// (RFC 6557), and whether there is one. No zones are the empty name and Local, which stand for the
// machine's, the files localtime, posixrules and Factory, and what is in the directories posix and
// right.
func Load(name string) (*time.Location, bool) {
	if len(name) > longest {
		return nil, false
	}
	area, _, _ := strings.Cut(name, "/")
	switch strings.ToLower(area) {
	case "local", "localtime", "posix", "posixrules", "right", "factory":
		return nil, false
	}
	for part := range strings.SplitSeq(name, "/") {
		if !isPart(part) {
			return nil, false
		}
	}
	location, err := time.LoadLocation(name)
	return location, err == nil
}

// isPart reports whether s can be a part of a name: the database has ASCII letters, digits, and the
// characters - + _ in them. With the dot, one zone would have any number of names, such as
// Europe/./London.
func isPart(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-+_", r)
	})
}
