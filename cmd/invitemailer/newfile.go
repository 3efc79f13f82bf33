package main

import (
	"errors"
	"io/fs"
	"os"
)

// newFile makes a file in a directory, in place of what has its name there. It
// follows no link: others may write to the directory, too, and a link there would
// send what is written wherever they like.
func newFile(dir, name string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // its file stays open
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// writeNew is newFile with its whole content.
func writeNew(dir, name string, data []byte) error {
	f, err := newFile(dir, name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
