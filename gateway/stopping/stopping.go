package stopping

import "context"

type key struct{}

// With returns a context whose requests end when done is closed.
func With(ctx context.Context, done <-chan struct{}) context.Context {
	return context.WithValue(ctx, key{}, done)
}

// Done returns a channel that is closed when the process stops; nil, which blocks forever, in a
// context without one.
func Done(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(key{}).(<-chan struct{})
	return done
}
