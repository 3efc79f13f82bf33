package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// project is where things are read and written.
type project struct{ root string }

func (p project) file(name string) string {
	return filepath.Join(p.root, "testdata", "performance", name)
}

func (p project) readResults() (results, error) {
	f, err := os.Open(p.file("results.csv"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readCSV(f)
}

func (p project) writeResults(r results) error {
	var text bytes.Buffer
	if err := r.writeCSV(&text); err != nil {
		return err
	}
	return os.WriteFile(p.file("results.csv"), text.Bytes(), 0o644)
}

// publish draws the picture and puts the table into the README.
func (p project) publish(r results) error {
	var picture bytes.Buffer
	if err := draw(&picture, r); err != nil {
		return err
	}
	if err := os.WriteFile(p.file("rate.svg"), picture.Bytes(), 0o644); err != nil {
		return err
	}
	readme := filepath.Join(p.root, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	text, err = between(text, "\n"+markdown(r)+"\n")
	if err != nil {
		return fmt.Errorf("%s: %w", readme, err)
	}
	return os.WriteFile(readme, text, 0o644)
}
