package submission_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fault "github.com/invitemailer/invitemailer/internal/smtptest"
	"github.com/invitemailer/invitemailer/mailer/submission"
	"github.com/invitemailer/invitemailer/mailer/submission/submissiontest"
)

// A server that offers PIPELINING and cannot do it costs one wait, and no
// message. After that, everything goes in lock-step.
func TestServerThatOffersPipeliningAndCannot(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		groups fault.Groups
		nobody bool          // content for nobody is asked for
		bytes  bool          // one by one
		wait   time.Duration // once
		conns  int
	}{
		"flushes after a refusal":      {groups: fault.GroupsFlushed, wait: 10 * time.Second, conns: 2},
		"hears one command a read":     {groups: fault.GroupsOneCommand, wait: 30 * time.Second, conns: 2},
		"hangs up on groups":           {groups: fault.GroupsHangUp, conns: 2},
		"takes content for nobody":     {nobody: true, conns: 2},
		"can do it, in one-byte steps": {bytes: true, conns: 1},
	} {
		for _, refused := range []fault.Point{fault.AtMail, fault.AtRcpt} {
			for _, code := range []string{"450 4.2.1 Later", "550 5.1.1 No"} {
				t.Run(fmt.Sprintf("%s/%s/%.3s", name, refused, code), func(t *testing.T) {
					t.Parallel()
					second := 2
					if tc.groups == fault.GroupsOneCommand {
						second = 3 // the first was heard twice
					}
					server := &fault.Server{
						Groups:                  tc.groups,
						ContentWithoutRecipient: tc.nobody,
						Script: func(e fault.Event) fault.Fault {
							if e.Transaction == second && e.Point == refused {
								return fault.Fault{Reply: code, OneByte: tc.bytes}
							}
							return fault.Fault{Answer: tc.bytes, OneByte: tc.bytes}
						},
					}
					in(t, server, func(t *testing.T) {
						s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 1})
						begun := time.Now()
						for i := range 5 {
							got := s.Submit(t.Context(), guest(i), []byte(letter))
							want := wanted{Outcome: submission.Accepted, Step: submission.StepDot}
							if i == 1 {
								want = wanted{submission.Refused, submission.Step(refused), code[0] == '4', false}
								assert.Equal(t, code[:3], fmt.Sprint(got.Code))
							}
							assert.Equal(t, want, of(got), "message %d: %v", i, got.Err)
							obeysLaw(t, got, guest(i).To, server)
						}
						assert.Equal(t, tc.wait, time.Since(begun))
						assert.Equal(t, tc.conns, server.Conns())
						for _, tx := range server.Accepted() {
							assert.NotEmpty(t, tx.Data)
						}
					})
				})
			}
		}
	}
}

// Several connections that find it out at the same time lose no message either,
// and what is known of the server holds for all that come later.
func TestManyConnectionsToAServerThatCannotPipeline(t *testing.T) {
	t.Parallel()
	for groups, wait := range map[fault.Groups]time.Duration{fault.GroupsOneCommand: 30 * time.Second,
		fault.GroupsHangUp: 0} {
		server := &fault.Server{Groups: groups}
		in(t, server, func(t *testing.T) {
			s := newSubmitter(t, submission.Config{Dial: server.Dial, Connections: 4})
			begun := time.Now()
			for range 3 {
				for _, got := range submitTogether(t, s, 12) {
					assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
				}
				assert.Equal(t, wait, time.Since(begun))
			}
			assert.Len(t, server.Accepted(), 36)
			assert.LessOrEqual(t, server.Conns(), 8)
		})
	}
}

// Replies that come twice, too early, too many, or in another order: the
// message they belong to is not taken for accepted, and the Submitter finds
// back into step.
func TestRepliesOutOfStep(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault.Fault{
		"twice": fault.After(fault.Say("250 2.0.0 Ok")), "refused twice": fault.Say("550 5.1.1 No\r\n550 5.1.1 No"),
		"354 too early": fault.Say("354 Go ahead"), "accepted, then refused": fault.After(fault.Say("550 5.1.1 No")),
		"refused, then accepted": fault.Say("450 4.2.0 Later\r\n250 2.0.0 Ok"),
		"many":                   fault.After(fault.Say(strings.Repeat("250 2.0.0 Ok\r\n", 20) + "250 Ok")),
		"421 after":              fault.After(fault.ShutDown()), "greeting again": fault.Say("220 mail.example ESMTP"),
	} {
		for _, m := range modes {
			for _, point := range []fault.Point{fault.AtMail, fault.AtRcpt, fault.AtData, fault.AtRset} {
				if f.Answer && f.Then == fault.Continue && point == fault.AtData {
					continue // nobody can tell it from the answer to the content
				}
				t.Run(fmt.Sprintf("%s/%s/%s", m, point, name), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						server := &fault.Server{}
						t.Cleanup(func() { assert.NoError(t, server.Close()) })
						s := m.prepare(t, server, submission.Config{Dial: server.Dial, Connections: 1}, point, f)
						last := submission.Result{}
						for i := range 5 {
							last = s.Submit(t.Context(), guest(i), []byte(letter))
							obeysLaw(t, last, guest(i).To, server)
							assert.NotEqual(t, submission.Unknown, last.Outcome, "%v", last.Err)
						}
						assert.Equal(t, submission.Accepted, last.Outcome, "%v", last.Err)
					})
				})
			}
		}
	}
}

// A server that takes minutes for each reply, and stays within the time-outs,
// gets its messages.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	for _, extensions := range [][]string{nil, {}} {
		server := &fault.Server{Extensions: extensions, Script: func(fault.Event) fault.Fault {
			time.Sleep(119 * time.Second)
			return fault.Fault{}
		}}
		in(t, server, func(t *testing.T) {
			s := newSubmitter(t, submission.Config{Dial: server.Dial})
			for i := range 3 {
				got := s.Submit(t.Context(), guest(i), []byte(letter))
				assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
			}
		})
	}
}

// A server that stops reading holds nobody for longer than the time-outs.
func TestServerThatStopsReading(t *testing.T) {
	t.Parallel()
	long := []byte(strings.Repeat("This line is there to fill the message.\r\n", 5000))
	for _, m := range modes {
		for _, tc := range []struct {
			point fault.Point
			fault fault.Fault
			msg   []byte
			want  wanted
			after time.Duration
		}{
			{fault.AtEHLO, fault.After(fault.Fault{Then: fault.Deaf}), long, wanted{submission.NotBegun,
				submission.StepMail, true, false}, 5 * time.Minute},
			{fault.AtMail, fault.Fault{Then: fault.Deaf}, long, wanted{submission.NotBegun,
				submission.StepMail, true, false}, 5 * time.Minute},
			{fault.AtRcpt, fault.Fault{Then: fault.Deaf}, long, wanted{submission.NotBegun,
				submission.StepRcpt, true, false}, 5 * time.Minute},
			{fault.AtData, fault.After(fault.Fault{Then: fault.Deaf}), long, wanted{submission.NotBegun,
				submission.StepContent, true, false}, 3*time.Minute + time.Second},
			{fault.AtContent, fault.Fault{Then: fault.Deaf, Bytes: 50_000}, long, wanted{submission.NotBegun,
				submission.StepContent, true, false}, 3*time.Minute + time.Second},
			{fault.AtData, fault.After(fault.Fault{Then: fault.Deaf}), []byte(letter),
				wanted{submission.Unknown, submission.StepDot, false, false}, 3*time.Minute + time.Second},
		} {
			t.Run(fmt.Sprintf("%s/%s/%d", m, tc.point, len(tc.msg)), func(t *testing.T) {
				t.Parallel()
				server := &fault.Server{}
				in(t, server, func(t *testing.T) {
					s := m.prepare(t, server, submission.Config{Dial: server.Dial}, tc.point, tc.fault)
					begun := time.Now()
					got := s.Submit(t.Context(), guest(1), tc.msg)
					if m == first && (tc.want.Step == submission.StepMail || tc.want.Step == submission.StepRcpt) {
						tc.want, tc.after = wanted{
							Outcome: submission.Accepted,
							Step:    submission.StepDot,
						}, 30*time.Second
					}
					assert.Equal(t, tc.want, of(got), "%v", got.Err)
					assert.Equal(t, tc.after, time.Since(begun))
					obeysLaw(t, got, guest(1).To, server)
					got = s.Submit(t.Context(), guest(2), tc.msg)
					assert.Equal(t, submission.Accepted, got.Outcome, "%v", got.Err)
				})
			})
		}
	}
}

// writes counts the writes to a connection.
type writes struct {
	net.Conn
	n *atomic.Int64
}

func (w writes) Write(b []byte) (int, error) {
	w.n.Add(1)
	return w.Conn.Write(b)
}

// A message on a kept connection costs two writes, a refused one before it or
// not: the group, and the content with its dot.
func TestTwoWritesAMessage(t *testing.T) {
	t.Parallel()
	msg := []byte(strings.Repeat(".A line that begins with a dot\r\n..\r\nand others that do not\r\n", 200))
	for name, implicit := range map[string]bool{"clear": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			counting := func(dial func(context.Context, string, string) (net.Conn,
				error)) func(context.Context, string, string) (net.Conn, error) {
				return func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return writes{conn, &n}, err
				}
			}
			var cfg submission.Config
			if implicit {
				cfg = tlsInbox(t, submissiontest.Options{ImplicitTLS: true})
			} else {
				cfg.Dial = newInbox(t, submissiontest.Options{}).Dial
			}
			cfg.Dial = counting(cfg.Dial)
			s := newSubmitter(t, cfg)
			require.NoError(t, s.Submit(t.Context(), envelope, msg).Err)
			before := n.Load()
			for range 10 {
				require.NoError(t, s.Submit(t.Context(), envelope, msg).Err)
			}
			assert.EqualValues(t, 20, n.Load()-before)
		})
	}
}
