package gws

import (
	"context"
	"net/http"

	"segue/client"
	"segue/gateway/gws/view"
)

// World is what the face asks, for tests.
type World struct {
	Sender   sender
	Lists    lists
	Watchers watchers
	Involved func(context.Context, client.Name) ([]string, error)
}

// NewIn returns the face in a world.
func NewIn(o Options, w World) http.Handler {
	f := newFace(o)
	f.sender, f.index, f.watchers, f.involved = w.Sender, w.Lists, w.Watchers, w.Involved
	return f
}

// HasInput reports whether the body of an operation can be read.
func HasInput(operation string) bool {
	return inputs[operation] != nil || operation == view.OperationGetWorkbinContent
}

// Ids of workbins.
var (
	WorkbinID  = workbinID
	WorkbinOf  = workbinOf
	WorkbinIDs = workbinIDs
)
