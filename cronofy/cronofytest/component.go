package cronofytest

import (
	"bytes"
	"net/url"
	"strings"
)

const maxComponentDepth = 16

// component is a component of a calendar as somebody else wrote it (RFC 5545 §3.4). The calendars of mail clients break rules and must
// still be read, in time that grows with their length only: so lines that are none are passed over, and what is not closed ends with the text.
type component struct {
	name       string // in upper case
	properties []property
	children   []*component
}

type property struct {
	name   string // in upper case
	params map[string]string
	value  string
}

// unfold undoes folding (RFC 5545 §3.1), of bytes, since some writers fold within a character, and makes every line end a LF.
func unfold(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\r"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\n "), nil)
	return bytes.ReplaceAll(b, []byte("\n\t"), nil)
}

// parseCalendar reads the unfolded text; nil if it has no VCALENDAR.
func parseCalendar(text []byte) *component {
	root := &component{}
	open := []*component{root}
	for line := range strings.SplitSeq(string(text), "\n") {
		p, ok := parseLine(strings.TrimRight(line, "\r"))
		if !ok {
			continue
		}
		top := open[len(open)-1]
		switch p.name {
		case "BEGIN":
			c := &component{name: strings.ToUpper(strings.TrimSpace(p.value))}
			if len(open) <= maxComponentDepth {
				top.children = append(top.children, c)
			}
			open = append(open, c)
		case "END":
			if len(open) > 1 {
				open = open[:len(open)-1]
			}
		default:
			top.properties = append(top.properties, p)
		}
	}
	if list := root.all("VCALENDAR"); len(list) > 0 {
		return list[0]
	}
	return nil
}

// parseLine reads a content line: name *(";" param "=" value) ":" value.
func parseLine(line string) (p property, ok bool) {
	line = strings.TrimPrefix(line, "\ufeff")
	quoted, start, key := false, 0, ""
	take := func(end int) {
		part := line[start:end]
		start = end + 1
		switch {
		case p.name == "":
			p.name = strings.ToUpper(strings.TrimSpace(part))
		case key != "":
			if p.params == nil {
				p.params = map[string]string{}
			}
			p.params[key] = strings.Trim(strings.TrimSpace(part), `"`)
		}
		key = ""
	}
	for i := range len(line) {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '=' && p.name != "" && key == "":
			key = strings.ToUpper(strings.TrimSpace(line[start:i]))
			start = i + 1
		case c == ';':
			take(i)
		case c == ':':
			take(i)
			p.value = line[i+1:]
			return p, p.name != ""
		}
	}
	return p, false
}

func (c *component) all(name string) []*component {
	var list []*component
	for _, x := range c.children {
		if x.name == name {
			list = append(list, x)
		}
	}
	return list
}

func (c *component) property(name string) (property, bool) {
	for _, p := range c.properties {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

func (c *component) each(name string) []property {
	var list []property
	for _, p := range c.properties {
		if p.name == name {
			list = append(list, p)
		}
	}
	return list
}

// value is that of the first property of this name, without the spaces around it.
func (c *component) value(name string) string {
	p, _ := c.property(name)
	return strings.TrimSpace(p.value)
}

// text undoes the escapes of a value of type TEXT (RFC 5545 §3.3.11).
func (p property) text() string {
	var b strings.Builder
	for i := 0; i < len(p.value); i++ {
		c := p.value[i]
		if c == '\\' && i+1 < len(p.value) {
			i++
			if c = p.value[i]; c == 'n' || c == 'N' {
				c = '\n'
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// address is that of a calendar user: of a mailto URI, else the EMAIL parameter (RFC 7986 §6.2), else a bare address, as some clients
// write it.
func (p property) address() string {
	value := strings.TrimSpace(p.value)
	const scheme = "mailto:"
	if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		value, _, _ = strings.Cut(value[len(scheme):], "?")
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		return strings.TrimSpace(value)
	}
	if email := strings.TrimSpace(p.params["EMAIL"]); email != "" {
		return email
	}
	if strings.Contains(value, "@") && !strings.ContainsAny(value, ": ") {
		return value
	}
	return ""
}
