package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repository is where the README stands.
var repository = filepath.Join("..", "..")

// block is a piece of the README in a fixed-width font.
type block struct {
	heading  string
	language string // after the fence: sh are commands to run, console are commands and what they say
	text     string
}

func (b block) firstLine() string {
	line, _, _ := strings.Cut(b.text, "\n")
	return line
}

func readme(t *testing.T) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	require.NoError(t, err)
	var blocks []block
	heading, inside := "", false
	for line := range strings.Lines(string(text)) {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !inside:
			inside = true
			blocks = append(blocks, block{heading: heading, language: strings.TrimSpace(language)})
		case fence:
			inside = false
		case inside:
			blocks[len(blocks)-1].text += line
		case strings.HasPrefix(line, "#"):
			heading = strings.Trim(line, "# \n")
		}
	}
	require.False(t, inside)
	return blocks
}

// theBlock is the one block of a language under a heading.
func theBlock(t *testing.T, heading, language string) block {
	t.Helper()
	var found []block
	for _, b := range readme(t) {
		if b.heading == heading && b.language == language {
			found = append(found, b)
		}
	}
	require.Len(t, found, 1, "blocks of %s under %q", language, heading)
	return found[0]
}

func packaged(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "packaging", name))
	require.NoError(t, err)
	return string(text)
}

// TestReadmeShowsWhatIsPackaged: the units, the settings and the cron jobs that
// the README shows are those that the other tests run.
func TestReadmeShowsWhatIsPackaged(t *testing.T) {
	t.Parallel()
	var jobs, shown []string
	for line := range strings.Lines(packaged(t, "crontab")) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			jobs = append(jobs, line)
		}
	}
	files := []string{
		packaged(t, "invitemailer.env"), packaged(t, "invitemailer.service"), packaged(t, "invitemailer.timer"),
	}
	for _, b := range readme(t) {
		switch b.language {
		case "crontab":
			shown = append(shown, b.text)
		case "env", "ini":
			assert.Contains(t, files, b.text, "%s: %s", b.heading, b.firstLine())
			files = slices.DeleteFunc(files, func(f string) bool { return f == b.text })
		}
	}
	assert.Empty(t, files, "not shown")
	assert.Equal(t, jobs, shown)
}

// TestReadmeMarksItsCommands: what looks like a command is marked as one, so that
// it is run.
func TestReadmeMarksItsCommands(t *testing.T) {
	t.Parallel()
	command := regexp.MustCompile(`(?m)^(\$ |[A-Z_]+=\S+ )?(invitemailer|go) `)
	for _, b := range readme(t) {
		if !slices.Contains([]string{"sh", "console"}, b.language) {
			assert.False(t, command.MatchString(b.text), "%s: mark the block as sh: %s", b.heading, b.firstLine())
		}
	}
}

// TestReadmeRecord: the record that the README shows, over several lines, is read
// from the file that it names.
func TestReadmeRecord(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(repository, "README.md"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "This is `interview.json`:\n\n```json\n")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "interview.json"), readmeRecord(t), 0o600))
	out, code := finish(t, dir, []string{"INVITEMAILER_LEDGER=none"}, "send", "--dry-run", "interview.json")
	assert.Zero(t, code)
	assert.Contains(t, out, `"smart_invite_id":"interview-4711","recipient":"ann@example.org","method":"request",`+
		`"kind":"invitation","outcome":"valid"`)
}

// readmeRecord is the record, some decades later, as its event must not be over.
func readmeRecord(t *testing.T) []byte {
	t.Helper()
	text := strings.ReplaceAll(theBlock(t, "The record", "json").text, `"2027-`, `"2087-`)
	require.True(t, json.Valid([]byte(text)))
	return []byte(text)
}

// TestReadmeLint: the findings that the README shows are among those of the file.
func TestReadmeLint(t *testing.T) {
	t.Parallel()
	command, shown, _ := strings.Cut(theBlock(t, "The linter", "console").text, "\n")
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

// TestManualLinks: what the manual refers to within the repository is there.
func TestManualLinks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "templates/TEMPLATES.md",
		"mailer/lint/RULES.md"} {
		text, err := os.ReadFile(filepath.Join(repository, name))
		require.NoError(t, err)
		headings := make(map[string]bool)
		for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(text), -1) {
			headings["#"+strings.NewReplacer(" ", "-", "'", "").Replace(strings.ToLower(m[1]))] = true
		}
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(string(text), -1) {
			switch target := m[1]; {
			case strings.HasPrefix(target, "#"):
				assert.True(t, headings[target], "%s has no heading for %s", name, target)
			case !strings.Contains(target, "://"):
				file, _, _ := strings.Cut(target, "#")
				_, err := os.Stat(filepath.Join(repository, filepath.Dir(name), file))
				assert.NoError(t, err, "%s refers to %s", name, target)
			}
		}
	}
}
