package main

import (
	"bufio"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOutput: a write waits for its reader until the command is to stop, or for as
// long as the caller can wait; what was given up comes out in its place.
func TestOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		defer func() { _ = r.Close() }()
		stopped, stop := context.WithCancel(context.Background())
		defer stop()
		o := newOutput(w, stopped)
		lines := bufio.NewReader(r)
		read := func() string {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			return line
		}

		// Without a limit it waits.
		time.AfterFunc(time.Hour, func() { assert.Equal(t, "one\n", read()) })
		n, err := o.Write([]byte("one\n"))
		require.NoError(t, err)
		assert.Equal(t, 4, n)

		// With a context it does not, and nor do others meanwhile.
		begun := time.Now()
		for _, line := range []string{"two\n", "never\n"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err = o.WriteContext(ctx, []byte(line))
			cancel()
			require.ErrorIs(t, err, errUnread)
			assert.True(t, o.unread())
		}
		assert.Equal(t, 2*time.Second, time.Since(begun))

		// With a limit it gives up at once while nothing moves.
		o.giveUpAfter(time.Minute)
		begun = time.Now()
		_, err = o.Write([]byte("never\n"))
		require.ErrorIs(t, err, errUnread)
		assert.Zero(t, time.Since(begun))

		// The reader reads again.
		assert.Equal(t, "two\n", read())
		synctest.Wait()
		assert.False(t, o.unread())
		go func() { assert.Equal(t, "three\n", read()) }()
		_, err = o.Write([]byte("three\n"))
		require.NoError(t, err)
		begun = time.Now()
		_, err = o.Write([]byte("four\n"))
		require.ErrorIs(t, err, errUnread)
		assert.Equal(t, time.Minute, time.Since(begun))
		assert.Equal(t, "four\n", read())

		// The command is to stop: little time is left, and then none.
		o.giveUpAfter(0)
		begun = time.Now()
		time.AfterFunc(time.Hour, stop)
		_, err = o.Write([]byte("five\n"))
		require.ErrorIs(t, err, errUnread)
		assert.Equal(t, time.Hour+writeGrace, time.Since(begun))
		begun = time.Now()
		_, err = o.Write([]byte("never\n"))
		require.ErrorIs(t, err, errUnread)
		assert.Zero(t, time.Since(begun))
		assert.Equal(t, "five\n", read())
		go func() { assert.Equal(t, "six\n", read()) }()
		_, err = o.Write([]byte("six\n"))
		assert.NoError(t, err, "who reads is told the rest")
	})
}
