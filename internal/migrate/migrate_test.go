package migrate_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/internal/migrate"
)

func TestReadOrdersByNumber(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"README.md": {}}
	var want migrate.Changes
	for _, name := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} {
		files[name+".sql"] = &fstest.MapFile{Data: []byte("SELECT " + name)}
		want = append(want, "SELECT "+name)
	}
	all, err := migrate.Read(files)
	require.NoError(t, err)
	assert.Equal(t, want, all)

	delete(files, "7.sql")
	_, err = migrate.Read(files)
	require.ErrorContains(t, err, "numbered from 1")
}

func TestMissing(t *testing.T) {
	t.Parallel()
	all := migrate.Changes{"one", "two", "three"}
	for _, test := range []struct {
		name string
		at   migrate.State
		want migrate.Changes
	}{
		{"an empty database", migrate.State{}, all},
		{"an older one", migrate.State{Version: 1, OldestReader: 1}, all[1:]},
		{"one of this version", migrate.State{Version: 3, OldestReader: 2}, nil},
		{"a newer one that this program can work with", migrate.State{Version: 9, OldestReader: 3}, nil},
	} {
		got, err := all.Missing(test.at)
		require.NoError(t, err, test.name)
		assert.Equal(t, test.want, got, test.name)
	}
	_, err := all.Missing(migrate.State{Version: 9, OldestReader: 4})
	require.ErrorContains(t, err, "needs a program that knows version 4 and this program knows 3")
}
