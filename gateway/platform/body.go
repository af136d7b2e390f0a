package platform

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"segue/gateway/body"
	"segue/gateway/problem"
)

// Bounds of bodies, in bytes.
const (
	maxCommand = 256 << 10
	maxArray   = 1 << 20
)

// readBody reads the whole body of a request, which is JSON or empty.
func readBody(ctx huma.Context, limit int64) ([]byte, error) {
	r, w := humago.Unwrap(ctx)
	data, err := body.Read(w, r, limit)
	if err != nil {
		return nil, failure{problem.Of(err)}
	}
	return data, nil
}

// readObjectBody reads a body that is one JSON object.
func readObjectBody(ctx huma.Context, limit int64) (*body.Object, error) {
	r, w := humago.Unwrap(ctx)
	o, err := body.ReadRequest(w, r, limit)
	if err != nil {
		return nil, failure{problem.Of(err)}
	}
	return o, nil
}
