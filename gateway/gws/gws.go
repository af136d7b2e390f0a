package gws

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"segue/client"
	"segue/gateway/commands"
	"segue/gateway/gws/notify"
	"segue/gateway/index"
	"segue/gateway/presence"
)

// Prefix is the start of every path of the face.
const Prefix = "/api/v2"

// NotificationsPath is where CometD is.
const NotificationsPath = Prefix + "/notifications"

// unreleased is the version of a program that was built without one.
const unreleased = "unreleased"

// DefaultDeadline is how long a request waits for its outcome: a GWS client waits 5 s.
const DefaultDeadline = 4 * time.Second

// Settings are those of the configuration that applies; they may change.
type Settings struct {
	// PublicURL is the start of absolute URIs; empty: scheme and Host of the request.
	PublicURL string
	// Workbins are those that are listed also if they are empty.
	Workbins []Workbin
}

// Workbin is a configured workbin: its id, and how it is called.
type Workbin struct{ ID, Name, DisplayName string }

// Options configure the face.
type Options struct {
	Client   *client.Client
	Sender   *commands.Sender
	Index    *index.Index
	Presence *presence.Presence
	Notifier *notify.Notifier
	// Settings returns the present settings.
	Settings func() Settings
	Log      *slog.Logger
	Version  string
	// Deadline bounds how long a request waits; 0 is DefaultDeadline.
	Deadline time.Duration
}

// face is the API and what its routes share.
type face struct {
	Options
	mux *http.ServeMux
	// sender, index and watchers are those of the options, and involved is the client's.
	sender   sender
	index    lists
	watchers watchers
	involved func(context.Context, client.Name) ([]string, error)
	// references numbers the requests without a referenceId.
	references atomic.Int64
}

// New returns the face, behind authentication and limits, without CometD.
func New(o Options) http.Handler {
	f := newFace(o)
	f.sender, f.index, f.watchers = o.Sender, o.Index, o.Notifier
	f.involved = func(ctx context.Context, n client.Name) ([]string, error) { return o.Client.Involved(ctx, n) }
	return f
}

func newFace(o Options) *face {
	if o.Deadline == 0 {
		o.Deadline = DefaultDeadline
	}
	if o.Version == "" {
		o.Version = unreleased
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Settings == nil {
		o.Settings = func() Settings { return Settings{} }
	}
	if o.Presence == nil {
		o.Presence = presence.New(presence.Options{})
	}
	f := &face{Options: o, mux: http.NewServeMux()}
	for _, routes := range []func(*face){aboutRoutes, interactionRoutes, workbinRoutes, sessionRoutes} {
		routes(f)
	}
	return f
}

// aboutRoutes registers what the server says about itself.
func aboutRoutes(f *face) {
	f.get("/diagnostics/version", func(*request) (any, error) {
		return struct {
			StatusCode int    `json:"statusCode"`
			Version    string `json:"version"`
		}{codeOK, f.Version}, nil
	})
}
