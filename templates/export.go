package templates

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed files TEMPLATES.md
var embedded embed.FS

// embeddedFiles are the embedded templates: layout.html, layout.txt, and a
// directory for each language.
func embeddedFiles() fs.FS {
	files, err := fs.Sub(embedded, "files")
	if err != nil {
		return embedded // cannot be: the name is a constant and valid
	}
	return files
}

// Export writes the embedded templates into a directory, to start one's own from, with the manual
// for them, TEMPLATES.md. The directory is made if need be; a file that exists is left alone, and
// is an error that matches [fs.ErrExist], with nothing written.
func Export(dir string) error {
	contents := map[string][]byte{} // by the paths in dir
	if err := fs.WalkDir(embedded, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		target := filepath.FromSlash(strings.TrimPrefix(path, "files/"))
		contents[target], err = embedded.ReadFile(path)
		return err
	}); err != nil {
		return fmt.Errorf("read the embedded templates: %w", err)
	}
	unwritable := func(err error) error {
		return fmt.Errorf("export the templates: %w; name a directory that can be written", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return unwritable(err)
	}
	root, err := os.OpenRoot(dir) // no link in it leads out of it
	if err != nil {
		return unwritable(err)
	}
	defer func() { _ = root.Close() }() // nothing is written to it itself
	for path := range contents {
		if _, err := root.Lstat(path); err == nil {
			return fmt.Errorf("export the templates: %s: %w; name a directory without it", filepath.Join(dir, path),
				fs.ErrExist)
		}
	}
	for path, content := range contents {
		err := root.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = root.WriteFile(path, content, 0o644)
		}
		if err != nil {
			return unwritable(err)
		}
	}
	return nil
}
