// Package waiting has contexts for waits that end for more than one reason.
package waiting

import "context"

// Until returns a context that ends with ctx, or when stop is closed, then with
// that cause. A nil stop is never closed. Call done after the wait.
func Until(ctx context.Context, stop <-chan struct{}, cause error) (wait context.Context, done func()) {
	if stop == nil {
		return ctx, func() {}
	}
	wait, cancel := context.WithCancelCause(ctx)
	select {
	case <-stop:
		cancel(cause)
		return wait, func() {}
	default:
	}
	go func() {
		select {
		case <-stop:
			cancel(cause)
		case <-wait.Done():
		}
	}()
	return wait, func() { cancel(nil) }
}
