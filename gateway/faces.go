package gateway

import (
	"net/http"

	"segue/config"
	"segue/gateway/commands"
	"segue/gateway/index"
)

// faces are the APIs, behind the authentication and the limits that they share.
type faces struct {
	http.Handler
}

func newFaces(o Options, _ *index.Index) (*faces, error) {
	_ = commands.New(commands.Options{Client: o.Client, Observe: o.instruments().GatewayUpdate})
	f := &faces{}
	mux := http.NewServeMux()
	mux.HandleFunc("/", notFound)
	f.Handler = noteRoute(mux)
	return f, nil
}

// update applies a new configuration to the requests that follow.
func (f *faces) update(*config.Set) error { return nil }

// degraded are why some credentials are refused at present.
func (f *faces) degraded() []string { return nil }

// streams returns the number of open streams.
func (f *faces) streams() int { return 0 }

func (f *faces) close() {}
