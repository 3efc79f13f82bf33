package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/invitemailer/invitemailer/mailer/ledger"
)

// The tests start themselves again as other processes; these say what those do.
const (
	childRole = "INVITEMAILER_TEST_LEDGER_ROLE"
	childPath = "INVITEMAILER_TEST_LEDGER_PATH"

	// share creates every invite of a list that the other has not created.
	share = "share"
	// forever takes invites from claim to release, several at a time, until it is
	// killed.
	forever = "forever"

	sharedInvites = 60
)

func child(role string) int {
	ctx := context.Background()
	l, err := Open(ctx, Options{Path: os.Getenv(childPath)})
	if err == nil {
		switch role {
		case share:
			for i := range sharedInvites {
				if err == nil {
					err = createOnce(ctx, l, benchKey(i), os.Stdout)
				}
			}
			err = errors.Join(err, l.Shutdown(ctx))
		case forever:
			failed := make(chan error)
			for hand := range 4 {
				go func() {
					for i := 0; ; i += 4 {
						if err := mail(ctx, l, benchKey(os.Getpid()*10_000+i+hand), os.Stdout); err != nil {
							failed <- err
							return
						}
					}
				}()
			}
			err = <-failed
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func createOnce(ctx context.Context, l *Ledger, key ledger.Key, out io.Writer) error {
	var claim ledger.Claim
	for {
		var err error
		if claim, err = l.Claim(ctx, key); err == nil {
			break
		} else if !errors.Is(err, ledger.ErrInProgress) {
			return err
		}
	}
	found, err := l.Lookup(ctx, key)
	if err == nil && !found[0].Known {
		if err = l.Create(ctx, claim, benchMade(key)); err == nil {
			_, err = fmt.Fprintln(out, key.InviteID)
		}
	}
	return errors.Join(err, l.Release(ctx, claim))
}

// What mail says of an invite apart from its states.
const claimed, released ledger.State = "claimed", "released"

// mail says of each invite what is durable of it.
func mail(ctx context.Context, l *Ledger, key ledger.Key, out io.Writer) error {
	var claim ledger.Claim
	for _, step := range []struct {
		state ledger.State
		write func() error
	}{
		{claimed, func() (err error) {
			claim, err = l.Claim(ctx, key)
			return err
		}},
		{ledger.Created, func() error { return l.Create(ctx, claim, benchMade(key)) }},
		{ledger.Submitting, func() error {
			return l.Submitting(ctx, claim, key, ledger.Submission{MessageID: "1@example.com",
				Message: ledger.Message{Bytes: benchMessage}})
		}},
		{ledger.Sent, func() error { return l.Finish(ctx, claim, key, ledger.Result{State: ledger.Sent}) }},
		{released, func() error { return l.Release(ctx, claim) }},
	} {
		if err := step.write(); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, key.InviteID, key.Address, step.state); err != nil {
			return err
		}
	}
	return nil
}

func childCommand(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childRole+"="+role, childPath+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// Two runs over the same list: each invite is created by one of them.
func TestProcessesShareAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	outputs := make([]string, 2)
	var group sync.WaitGroup
	for i := range outputs {
		cmd := childCommand(t, share, path)
		group.Go(func() {
			out, err := cmd.Output()
			assert.NoError(t, err)
			outputs[i] = string(out)
		})
	}
	group.Wait()
	assert.Len(t, strings.Fields(outputs[0]+outputs[1]), sharedInvites)
	l := openFile(t, path)
	for i := range sharedInvites {
		found, err := l.Load(t.Context(), benchKey(i))
		require.NoError(t, err)
		require.True(t, found[0].Known)
		assert.EqualValues(t, 1, found[0].Latest.Number, "created once")
		assert.Equal(t, benchCalendar, found[0].Latest.Calendar)
	}
}

// What a method has returned from is there after kill -9, at whatever point that
// came, and the file is whole.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	for round := range 5 {
		cmd := childCommand(t, forever, path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		durable := make(map[ledger.Key]ledger.State)
		order := map[ledger.State]int{claimed: 0, ledger.Created: 1, ledger.Submitting: 2, ledger.Sent: 3, released: 3}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			words := strings.Fields(lines.Text())
			require.Len(t, words, 3)
			durable[ledger.Key{InviteID: words[0], Address: words[1]}] = ledger.State(words[2])
			if n == 40+7*round {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait(), "it was killed")
		require.NotEmpty(t, durable)

		l := openFile(t, path)
		require.Zero(t, number(t, l, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"))
		for key, state := range durable {
			found, err := l.Load(t.Context(), key)
			require.NoError(t, err)
			claims := number(t, l, "SELECT count(*) FROM claim WHERE invite_id = '"+key.InviteID+"'")
			if !found[0].Known {
				assert.Equal(t, claimed, state)
				assert.EqualValues(t, 1, claims)
				continue
			}
			latest := found[0].Latest
			assert.True(t, claims == 1 && state != released || claims == 0 && latest.State == ledger.Sent)
			assert.GreaterOrEqual(t, order[latest.State], order[state])
			assert.Equal(t, benchCalendar, latest.Calendar)
			assert.Equal(t, latest.State == ledger.Submitting, latest.Message != nil)
		}
		require.NoError(t, l.Shutdown(t.Context()))
	}
}
