// Package softstop tells calls that a run is being stopped: what they are for is
// finished if it has begun, and not begun otherwise.
//
// The end of a context breaks everything off, so it cannot say that. Whoever runs
// the calls wraps their context by [With]; whoever waits within them, for a turn, a
// connection or the time of another try, waits under [Waiting].
package softstop

import "context"

type key struct{}

// With returns ctx for calls that are to begin nothing once stop has ended.
func With(ctx, stop context.Context) context.Context {
	return context.WithValue(ctx, key{}, stop)
}

// Cause is why nothing more is to be begun under ctx: the cause of the stop's end.
// It is nil before, and if there is no stop.
func Cause(ctx context.Context) error {
	if stop, ok := ctx.Value(key{}).(context.Context); ok {
		return context.Cause(stop)
	}
	return nil
}

// Waiting returns a context for what comes before the thing itself: it ends with
// ctx or, by the cause of the stop, with that. Call done after the wait.
func Waiting(ctx context.Context) (waiting context.Context, done func()) {
	stop, ok := ctx.Value(key{}).(context.Context)
	if !ok {
		return ctx, func() {}
	}
	waiting, cancel := context.WithCancelCause(ctx)
	detach := context.AfterFunc(stop, func() { cancel(context.Cause(stop)) })
	return waiting, func() {
		detach()
		cancel(nil)
	}
}
