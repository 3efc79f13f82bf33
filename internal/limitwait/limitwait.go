// Package limitwait tells the caller of a client when a call waits for a limit.
//
// The clients of the API and of the mail server keep the limits, and know nothing of what they work
// for. So the context of the call carries a function to tell, as with net/http/httptrace.
package limitwait

import "context"

type key struct{}

// With returns ctx for calls that call begin when they begin to wait. What begin returns is called
// once, at the end of that wait: with nil, or with why it ended before the limit allowed to go on.
func With(ctx context.Context, begin func() (end func(error))) context.Context {
	return context.WithValue(ctx, key{}, begin)
}

// Begin says that a wait begins. Call end, once, with how it ended.
func Begin(ctx context.Context) (end func(error)) {
	if begin, ok := ctx.Value(key{}).(func() func(error)); ok {
		return begin()
	}
	return func(error) {}
}
