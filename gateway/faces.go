package gateway

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"segue/config"
	"segue/delivery"
	"segue/gateway/auth"
	"segue/gateway/board"
	"segue/gateway/commands"
	"segue/gateway/index"
	"segue/gateway/limits"
	"segue/gateway/platform"
)

// faces are the APIs, behind the authentication and the limits that they share.
type faces struct {
	http.Handler
	auth     *auth.Auth
	limits   *limits.Limits
	listener net.Listener
	// cursorKeys are those of the configuration that applies.
	cursorKeys atomic.Pointer[[][]byte]
}

func newFaces(o Options, x *index.Index, b *board.Board) (*faces, error) {
	f := &faces{limits: limits.New(limits.Options{}), listener: o.Listener}
	set := o.Config.Current()
	if err := f.check(set); err != nil {
		return nil, err
	}
	keys, err := cursorKeys(set.Gateway)
	if err != nil {
		return nil, err
	}
	f.cursorKeys.Store(&keys)
	f.auth, err = auth.New(set.Gateway, auth.Options{
		Log: o.Log, Resolve: delivery.SecretRef.Resolve, Throttle: f.limits.Throttle, Failed: f.limits.Failed,
		Observe: o.instruments().GatewayRefused,
	})
	if err != nil {
		return nil, err
	}
	api := platform.New(platform.Options{
		Client: o.Client, Sender: commands.New(commands.Options{Client: o.Client, Observe: o.instruments().GatewayUpdate}), Index: x, Board: b,
		Sessions: f.auth, Stream: f.limits.Stream, Watch: f.auth.Watch, CursorKeys: f.currentKeys, Log: o.Log,
	})
	mux := http.NewServeMux()
	mux.Handle(platform.Prefix+"/", f.auth.CORS(platform.Keyed(f.auth.Authenticate(f.limits.Middleware(noteRoute(api))))))
	// The description of the API is no secret: tools read it before they have a credential.
	mux.Handle(platform.Prefix+"/openapi.json", f.auth.CORS(noteRoute(api)))
	mux.HandleFunc(platform.Prefix, notFound) // a mux would redirect to the path with a slash
	mux.HandleFunc("/", notFound)
	f.Handler = mux
	return f, nil
}

// check reports an error if anybody on the network could use the gateway. The configuration has
// such a check of gateway.address; the listener may be another, or of an earlier configuration.
func (f *faces) check(set *config.Set) error {
	if set.Gateway.Auth.Configured() {
		return nil
	}
	if at, ok := f.listener.Addr().(*net.TCPAddr); ok && at.IP.IsLoopback() {
		return nil
	}
	return config.Errors{{
		File: set.File, Path: "gateway.auth", Problem: fmt.Sprintf("has no credential, and gateway.address is beyond loopback: the gateway listens on %s", f.listener.Addr()),
		Remedy: "add a credential, or restart with gateway.address " + config.GatewayAddress,
	}}
}

// cursorKeys returns the keys that seal cursors of lists, so that each replica reads those of others.
func cursorKeys(set config.Gateway) ([][]byte, error) {
	var keys [][]byte
	for i, ref := range set.SessionKeys {
		key, err := ref.Resolve()
		if err != nil {
			return nil, fmt.Errorf("gateway.session_keys[%d]: %w", i, err)
		}
		keys = append(keys, []byte(key))
	}
	return keys, nil
}

// update applies a new configuration to the requests that follow, or rejects it.
func (f *faces) update(next *config.Set) error {
	if err := f.check(next); err != nil {
		return err
	}
	keys, err := cursorKeys(next.Gateway)
	if err != nil {
		return err
	}
	if err := f.auth.Update(next.Gateway); err != nil {
		return err
	}
	f.cursorKeys.Store(&keys)
	return nil
}

func (f *faces) currentKeys() [][]byte { return *f.cursorKeys.Load() }

// degraded are why some credentials are refused at present.
func (f *faces) degraded() []string { return f.auth.Health() }

// streams returns the number of open streams.
func (f *faces) streams() int { return f.limits.Open() }

func (f *faces) close() { f.auth.Close() }
