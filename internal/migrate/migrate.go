// Package migrate decides which changes of its schema a database needs, and whether a program may
// use it. It serves every store that can run SQL: the store reads where its database stands, and
// runs what is missing in a transaction that keeps other programs from doing the same.
//
// A database keeps two numbers. Its version counts the changes that were made. Its oldest reader
// is the version that a program must know at least: a change that older programs cannot work with
// raises it, any other one leaves it as it is. Hence two releases can use one database at the
// same time, and an upgrade can be rolled back, unless the newer release says otherwise.
package migrate

import (
	"fmt"
	"io/fs"
	"strconv"
)

// Changes are SQL texts. The n-th, counted from 1, makes version n of version n-1. What has been
// released is never edited, only added to.
type Changes []string

// Read reads changes from the files 1.sql, 2.sql and so on. None may be missing.
func Read(files fs.FS) (Changes, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	all := make(Changes, len(names))
	for i := range all {
		text, err := fs.ReadFile(files, strconv.Itoa(i+1)+".sql")
		if err != nil {
			return nil, fmt.Errorf("changes of the schema are numbered from 1: %w", err)
		}
		all[i] = string(text)
	}
	return all, nil
}

// State is where a database stands. The zero State is that of an empty one.
type State struct{ Version, OldestReader int }

// Missing returns the changes that a database needs, none if it has them all or more. The error
// says that it needs a newer program than this one.
func (all Changes) Missing(at State) (Changes, error) {
	switch {
	case at.OldestReader > len(all):
		return nil, fmt.Errorf("it needs a program that knows version %d and this program knows %d: "+
			"use the newer program that wrote it", at.OldestReader, len(all))
	case at.Version >= len(all):
		return nil, nil
	}
	return all[at.Version:], nil
}
