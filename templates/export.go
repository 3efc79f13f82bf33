package templates

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

//go:embed files TEMPLATES.md
var embedded embed.FS

// Files are the embedded templates, as [Overlay] takes them: layout.html,
// layout.txt, and a directory for each language.
func Files() fs.FS {
	files, err := fs.Sub(embedded, "files")
	if err != nil {
		return embedded // cannot be: the name is a constant and valid
	}
	return files
}

// Export writes the embedded templates into a directory, to start one's own
// from, with the manual for them, TEMPLATES.md. The directory is made if need
// be; a file that exists is left alone, and is an error that matches
// [fs.ErrExist], with nothing written.
func Export(dir string) error {
	sources := map[string]fs.FS{"TEMPLATES.md": embedded}
	files := Files()
	if err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			sources[path] = files
		}
		return err
	}); err != nil {
		return fmt.Errorf("read the embedded templates: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("export the templates: %w; name a directory that can be written", err)
	}
	root, err := os.OpenRoot(dir) // no link in it leads out of it
	if err != nil {
		return fmt.Errorf("export the templates: %w; name a directory that can be written", err)
	}
	defer func() { _ = root.Close() }() // nothing is written to it itself
	for path := range sources {
		target := filepath.Join(dir, filepath.FromSlash(path))
		if _, err := os.Lstat(target); err == nil {
			return fmt.Errorf("export the templates: %s: %w; name a directory without it", target, fs.ErrExist)
		}
	}
	for path, from := range sources {
		content, err := fs.ReadFile(from, path)
		if err != nil {
			return fmt.Errorf("read the embedded templates: %w", err)
		}
		if err := create(root, filepath.FromSlash(path), content); err != nil {
			return fmt.Errorf("export the templates: %w; name a directory that can be written", err)
		}
	}
	return nil
}

// create writes a file that does not exist.
func create(root *os.Root, path string, content []byte) error {
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
