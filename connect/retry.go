package connect

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
)

// errNotYet is the error of an attempt that succeeded and whose effect is not visible yet.
var errNotYet = errors.New("not yet usable")

// withLimit returns the context with a time limit, unless it has one.
func withLimit(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// retry calls try until it succeeds, until it fails permanently, or until the context ends.
func retry(ctx context.Context, try func(context.Context) error) error {
	pause := time.NewTicker(retryInterval)
	defer pause.Stop()
	for {
		err := try(ctx)
		if err == nil || !isTemporary(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-pause.C:
		}
	}
}

// isTemporary reports whether an error is of a kind that ends once a change is known in the whole cluster.
func isTemporary(err error) bool {
	var unknownNamespace *serviceerror.NamespaceNotFound
	var unknown *serviceerror.NotFound
	var unavailable *serviceerror.Unavailable
	return errors.Is(err, errNotYet) || errors.As(err, &unknownNamespace) || errors.As(err, &unknown) || errors.As(err, &unavailable)
}

// isForbidden reports whether this Temporal does not allow or support an operation.
func isForbidden(err error) bool {
	switch serviceerror.ToStatus(err).Code() {
	case codes.PermissionDenied, codes.Unimplemented:
		return true
	default:
		return false
	}
}
