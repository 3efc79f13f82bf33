package preview

import (
	"embed"
	"fmt"
	"html/template"
	"sync"
)

//go:embed page.html page.css
var files embed.FS

// parsed is the page's template, parsed when it is first asked for.
var parsed = sync.OnceValues(func() (*template.Template, error) {
	return template.New("page").Funcs(template.FuncMap{"count": count}).ParseFS(files, "page.html", "page.css")
})

// count writes a number of things: "1 mail", "2 mails".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// size writes a number of octets for people.
func size(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	default:
		return fmt.Sprintf("%.1f MB", float64(n)/1000/1000)
	}
}
