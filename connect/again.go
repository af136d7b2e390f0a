package connect

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
)

// errNotYet is what an attempt returns that went well and should be looked at again.
var errNotYet = errors.New("not yet usable")

// bounded adds a limit to a context that has none.
func bounded(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// again tries until it works, until it fails for good, or until there is no more time.
func again(ctx context.Context, try func(context.Context) error) error {
	pause := time.NewTicker(askAgain)
	defer pause.Stop()
	for {
		err := try(ctx)
		if err == nil || !passes(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-pause.C:
		}
	}
}

// passes reports whether an error is of the kind that goes away while news of a change spreads through a cluster.
func passes(err error) bool {
	var unknownNamespace *serviceerror.NamespaceNotFound
	var unknown *serviceerror.NotFound
	var unavailable *serviceerror.Unavailable
	return errors.Is(err, errNotYet) || errors.As(err, &unknownNamespace) || errors.As(err, &unknown) || errors.As(err, &unavailable)
}

// refused tells whether a Temporal does not let us do this at all.
func refused(err error) bool {
	switch serviceerror.ToStatus(err).Code() {
	case codes.PermissionDenied, codes.Unimplemented:
		return true
	default:
		return false
	}
}
