package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"segue/config"
	"segue/delivery"
	"segue/gateway/auth"
	"segue/gateway/board"
	"segue/gateway/commands"
	"segue/gateway/desktop"
	"segue/gateway/engagement/ticket"
	"segue/gateway/gws"
	"segue/gateway/gws/notify"
	"segue/gateway/index"
	"segue/gateway/limits"
	"segue/gateway/offers"
	"segue/gateway/platform"
	"segue/gateway/presence"
)

// faces are the APIs, behind the authentication and the limits that they share.
type faces struct {
	http.Handler
	auth          *auth.Auth
	limits        *limits.Limits
	listener      net.Listener
	presence      *presence.Presence
	notifier      *notify.Notifier
	notifications *notifications
	visits        *visits
	tickets       *ticket.Tickets
	desktop       *desktop.Server
	offers        *offers.Source
	// caller sends the requests of the source of offers.
	caller *delivery.Sender
	allow  []string
	// asked is the call of the configuration that applies; nil for none.
	asked atomic.Pointer[config.Call]
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
	sender := commands.New(commands.Options{Client: o.Client, Observe: o.instruments().GatewayUpdate})
	f.tickets = ticket.New(f.currentKeys)
	mux := http.NewServeMux()
	f.presence = presence.New(presence.Options{Bus: o.Bus, Log: o.Log})
	f.mountPlatform(mux, platform.Options{
		Client: o.Client, Sender: sender, Index: x, Board: b, Presence: f.presence,
		Sessions: f.auth, Stream: f.limits.Stream, Watch: f.auth.Watch, CursorKeys: f.currentKeys, Tickets: f.tickets, Log: o.Log,
	})
	f.notifier = notify.New(notify.Options{Index: x, Presence: f.presence, Log: o.Log})
	f.notifications = newNotifications(f, f.notifier, func() string { return o.Config.Current().Gateway.PublicURL }, o.Log)
	f.mountGWS(mux, gws.Options{
		Client: o.Client, Sender: sender, Index: x, Presence: f.presence, Notifier: f.notifier,
		Settings: func() gws.Settings { return gwsSettings(o.Config.Current().Gateway) }, Log: o.Log, Version: o.Version,
	})
	f.visits = newVisits(f, x, sender, o)
	f.visits.mount(mux, f)
	if err := f.prepareOffers(o, set); err != nil {
		return nil, err
	}
	f.mountDesktop(mux, desktop.Options{
		Sender: sender, Index: desktop.Of(x), Password: f.auth.Password, Watch: f.auth.Watch,
		Enter: f.limits.Enter, Stream: f.limits.Stream, Ask: f.ask, Sessions: sessionsOf(o.Bus), Log: o.Log,
	}, desktopSettings(set.Desktop))
	mux.HandleFunc("/", notFound)
	f.Handler = mux
	return f, nil
}

// mountPlatform serves /v1.
func (f *faces) mountPlatform(mux *http.ServeMux, o platform.Options) {
	api := platform.New(o)
	mux.Handle(platform.Prefix+"/", f.auth.CORS(platform.Keyed(f.auth.Authenticate(f.limits.Middleware(noteRoute(api))))))
	// The description of the API is no secret: tools read it before they have a credential.
	mux.Handle(platform.Prefix+"/openapi.json", f.auth.CORS(noteRoute(api)))
	mux.HandleFunc(platform.Prefix, notFound) // a mux would redirect to the path with a slash
}

// mountDesktop serves /his. A session is authenticated by its first request: of the upgrade only a token counts.
func (f *faces) mountDesktop(mux *http.ServeMux, o desktop.Options, s desktop.Settings) {
	f.desktop = desktop.New(o, s)
	mux.Handle(desktop.Path, f.auth.For(auth.Face{Anonymous: true})(noteRoute(f.desktop)))
}

// mountGWS serves /api/v2, and CometD at and below its path: clients append the name of the message.
func (f *faces) mountGWS(mux *http.ServeMux, o gws.Options) {
	face, bayeux := auth.GWS(), auth.CometD()
	face.Refuse, bayeux.Refuse = gws.Refuse, gws.Refuse
	api := f.auth.CORS(hosted(f.auth.For(face)(f.limits.For(counted, gws.Refuse, noteRoute(gws.New(o))))))
	mux.Handle(gws.Prefix, api)
	mux.Handle(gws.Prefix+"/", api)
	notifications := f.auth.CORS(hosted(f.auth.For(bayeux)(f.limits.For(counted, gws.Refuse, noteRoute(f.notifications)))))
	mux.Handle(gws.NotificationsPath, notifications)
	mux.Handle(gws.NotificationsPath+"/", notifications)
}

// maxHost is the longest name of a host, with its port.
const maxHost = 253 + len(":65535")

// hosted refuses a request whose Host is no name of a host: it is in each URI that the client is sent, also
// in those that are kept for its session.
func hosted(next http.Handler) http.Handler { return hostedBy(gws.Refuse, next) }

// gwsSettings are those of /api/v2 in a configuration.
func gwsSettings(set config.Gateway) gws.Settings {
	s := gws.Settings{PublicURL: set.PublicURL}
	for _, w := range set.GWS.Workbins {
		s.Workbins = append(s.Workbins, gws.Workbin(w))
	}
	return s
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
	guard, err := next.Guard.Build(f.allow...)
	if err != nil {
		return err
	}
	f.caller.SetGuard(guard)
	f.asked.Store(askedCall(next))
	f.desktop.Configure(desktopSettings(next.Desktop))
	return nil
}

func (f *faces) currentKeys() [][]byte { return *f.cursorKeys.Load() }

// degraded are why some credentials are refused at present, and streams may be soon.
func (f *faces) degraded() []string {
	reasons := f.auth.Health()
	if open := f.limits.Open(); open >= limits.Streams*9/10 {
		reasons = append(reasons, fmt.Sprintf("%d streams and sessions are open, and %d may be; add replicas", open, limits.Streams))
	}
	return reasons
}

// streams returns the number of open streams.
func (f *faces) streams() int { return f.limits.Open() }

// run keeps what the faces share current until the context ends.
func (f *faces) run(ctx context.Context, running *sync.WaitGroup, failed func(error)) {
	running.Go(func() {
		if err := f.presence.Run(ctx); ctx.Err() == nil {
			failed(fmt.Errorf("gateway: the presence of agents has ended: %w", err))
		}
	})
	running.Go(func() {
		if err := f.notifier.Run(ctx); ctx.Err() == nil {
			failed(fmt.Errorf("gateway: notifications have ended: %w", err))
		}
	})
	running.Go(func() {
		if err := f.visits.visitors.Run(ctx); ctx.Err() == nil {
			failed(fmt.Errorf("gateway: the invitations of visitors have ended: %w", err))
		}
	})
	running.Go(func() {
		if err := f.desktop.Run(ctx); ctx.Err() == nil {
			failed(fmt.Errorf("gateway: the events of desktops have ended: %w", err))
		}
	})
}

func (f *faces) close() {
	f.notifications.close()
	f.visits.close()
	f.desktop.Close()
	f.offers.Close()
	f.auth.Close()
}
