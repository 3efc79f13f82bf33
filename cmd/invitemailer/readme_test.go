package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repository is where the README stands.
var repository = filepath.Join("..", "..")

// block is a piece of the manual in a fixed-width font.
type block struct {
	file, heading string
	language      string // what follows the fence
	text          string
}

func (b block) firstLine() string {
	line, _, _ := strings.Cut(b.text, "\n")
	return line
}

func (b block) where() string { return b.file + ": " + b.heading + ": " + b.firstLine() }

// manualFiles are the README and the chapters of docs, relative to the repository.
func manualFiles(t *testing.T) []string {
	t.Helper()
	chapters, err := filepath.Glob(filepath.Join(repository, "docs", "*.md"))
	require.NoError(t, err)
	require.Greater(t, len(chapters), 9)
	files := []string{"README.md"}
	for _, c := range chapters {
		files = append(files, filepath.Join("docs", filepath.Base(c)))
	}
	return files
}

func repositoryText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	require.NoError(t, err)
	return string(text)
}

// blocks are those of a file of the manual, in their order.
func blocks(t *testing.T, file string) []block {
	t.Helper()
	var found []block
	heading, inside := "", false
	for line := range strings.Lines(repositoryText(t, file)) {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !inside:
			inside = true
			language = strings.TrimSpace(language)
			found = append(found, block{file: file, heading: heading, language: language})
		case fence:
			inside = false
		case inside:
			found[len(found)-1].text += line
		case strings.HasPrefix(line, "#"):
			heading = strings.Trim(line, "# \n")
		}
	}
	require.False(t, inside, file)
	return found
}

// manual is every block of the README and of the chapters.
func manual(t *testing.T) []block {
	t.Helper()
	var all []block
	for _, file := range manualFiles(t) {
		all = append(all, blocks(t, file)...)
	}
	return all
}

// theBlock is the one block of a language in the manual.
func theBlock(t *testing.T, language string) block {
	t.Helper()
	found := slices.DeleteFunc(manual(t), func(b block) bool { return b.language != language })
	require.Len(t, found, 1, "blocks of %s", language)
	return found[0]
}

// checkedBy says which test looks at the blocks of a language.
var checkedBy = map[string]string{
	"sh":               "TestManualCommands",
	"console":          "TestManualCommands",
	"console terminal": "TestManualLint",
	"json":             "TestManualRecord",
	"go":               "TestManualGo",
	"env":              "TestManualShowsWhatIsPackaged",
	"ini":              "TestManualShowsWhatIsPackaged",
	"crontab":          "TestManualShowsWhatIsPackaged",
	"nginx":            "TestManualProxies",
	"caddyfile":        "TestManualProxies",
	"mermaid":          "TestManualStates",
	"":                 "TestManualPackages",
}

// TestManualIsChecked: every block of the manual is of a language that a test looks at.
func TestManualIsChecked(t *testing.T) {
	t.Parallel()
	for _, b := range manual(t) {
		assert.Contains(t, checkedBy, b.language, b.where())
	}
	front := repositoryText(t, "README.md")
	assert.LessOrEqual(t, strings.Count(front, "\n"), 150)
	rules := strings.Count(repositoryText(t, "mailer/lint/RULES.md"), "\n| IM")
	assert.Contains(t, front, "["+strconv.Itoa(rules)+" rules]")
}

func packaged(t *testing.T, name string) string {
	t.Helper()
	return repositoryText(t, filepath.Join("packaging", name))
}

// TestManualShowsWhatIsPackaged: the units, the settings and the cron jobs that
// the manual shows are those that the other tests run.
func TestManualShowsWhatIsPackaged(t *testing.T) {
	t.Parallel()
	var jobs, shown []string
	for line := range strings.Lines(packaged(t, "crontab")) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			jobs = append(jobs, line)
		}
	}
	var files []string
	for _, name := range []string{"invitemailer.env", "invitemailer.service", "invitemailer.timer"} {
		files = append(files, packaged(t, name))
	}
	for _, b := range manual(t) {
		switch b.language {
		case "crontab":
			shown = append(shown, b.text)
		case "env", "ini":
			assert.Contains(t, files, b.text, b.where())
			files = slices.DeleteFunc(files, func(f string) bool { return f == b.text })
		}
	}
	assert.Empty(t, files, "not shown")
	assert.ElementsMatch(t, jobs, shown)
}

// TestManualProxies: the proxies pass on the one path of the listener for callbacks.
func TestManualProxies(t *testing.T) {
	t.Parallel()
	listen, ok := load(settings{})
	require.NoError(t, ok)
	for _, language := range []string{"nginx", "caddyfile"} {
		b := theBlock(t, language)
		assert.Contains(t, b.text, " "+callbackPath+" {", b.where())
		assert.Regexp(t, `(http://| )`+regexp.QuoteMeta(listen.Listen), b.text, b.where())
	}
}

// TestManualRecord: the record that the manual shows, over several lines, is read
// from the file that it names.
func TestManualRecord(t *testing.T) {
	t.Parallel()
	file := theBlock(t, "json").file
	assert.Contains(t, repositoryText(t, file), "This is `interview.json`:\n\n```json\n")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "interview.json"), manualRecord(t), 0o600))
	out, code := finish(t, dir, []string{"INVITEMAILER_LEDGER=none"}, "send", "--dry-run", "interview.json")
	assert.Zero(t, code)
	assert.Contains(t, out, `"smart_invite_id":"interview-4711","recipient":"ann@example.org",`)
	assert.Contains(t, out, `"kind":"invitation","outcome":"valid"`)
}

// manualRecord is the record, some decades later, as its event must not be over.
func manualRecord(t *testing.T) []byte {
	t.Helper()
	text := strings.ReplaceAll(theBlock(t, "json").text, `"2027-`, `"2087-`)
	require.True(t, json.Valid([]byte(text)))
	return []byte(text)
}

// TestManualLint: the findings that the manual shows as on a terminal are among those of the file.
func TestManualLint(t *testing.T) {
	t.Parallel()
	command, shown, _ := strings.Cut(theBlock(t, "console terminal").text, "\n")
	args := strings.Fields(strings.TrimPrefix(command, "$ invitemailer "))
	out, code := finish(t, repository, nil, args...)
	assert.Equal(t, int(exitData), code)
	var said []lintLine
	for line := range strings.Lines(out) {
		var l lintLine
		require.NoError(t, json.Unmarshal([]byte(line), &l), line)
		said = append(said, l)
	}
	lines := strings.Split(strings.TrimSuffix(shown, "…\n"), "\n")
	require.Greater(t, len(lines), 2)
	for i := 0; i+1 < len(lines); i += 2 {
		fields := regexp.MustCompile(`  +`).Split(lines[i], -1)
		require.Len(t, fields, 4, lines[i])
		file, level, _ := strings.Cut(fields[0], ": ")
		found := slices.ContainsFunc(said, func(l lintLine) bool {
			return l.File == file && string(l.Level) == strings.TrimSpace(level) &&
				l.Rule+"  "+l.Where+"  "+l.What == strings.Join(fields[1:], "  ") &&
				l.Fix == strings.TrimSpace(lines[i+1])
		})
		assert.True(t, found, lines[i])
	}
}

// anchors are the headings of a text of Markdown as links name them.
func anchors(text string) map[string]bool {
	found := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		found[strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

// TestManualLinks: what the manual refers to within the repository is there.
func TestManualLinks(t *testing.T) {
	t.Parallel()
	names := append(manualFiles(t), "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md",
		"templates/TEMPLATES.md", "mailer/lint/RULES.md")
	for _, name := range names {
		text := repositoryText(t, name)
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), path)
			}
			_, err := os.Stat(filepath.Join(repository, target))
			if assert.NoError(t, err, "%s refers to %s", name, m[1]) && anchor != "" {
				found := anchors(repositoryText(t, target))[anchor]
				assert.True(t, found, "%s: there is no heading for %s", name, m[1])
			}
		}
	}
	for _, name := range manualFiles(t)[1:] {
		linked := slices.ContainsFunc(manualFiles(t), func(from string) bool {
			return from != name && strings.Contains(repositoryText(t, from), filepath.Base(name)+")")
		})
		assert.True(t, linked, "nothing refers to %s", name)
	}
}
