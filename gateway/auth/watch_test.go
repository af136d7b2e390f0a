package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/gateway/auth"
)

// isOver reports whether a stream ended because its credential did.
func isOver(ctx context.Context) bool {
	return ctx.Err() != nil && context.Cause(ctx) == auth.ErrEnded
}

func TestAStreamEndsWithItsCredential(t *testing.T) {
	issuer := newIDP(t)
	rows := map[string]struct {
		headers []string
		end     func(f *fixture)
	}{
		"a key expires":   {bearer(shortKey), func(f *fixture) { f.clock.add(time.Hour) }},
		"a token expires": {bearer(issuer.token(nil)), func(f *fixture) { f.clock.add(time.Hour) }},
		"a key is removed": {bearer(agentKey), func(f *fixture) {
			g := configured(issuer.config())
			g.Auth.APIKeys = g.Auth.APIKeys[:1]
			require.NoError(f.t, f.Update(g))
		}},
		"a key has another contact center": {bearer(agentKey), func(f *fixture) {
			g := configured(issuer.config())
			g.Auth.APIKeys[1].ContactCenters = []string{"globex"}
			require.NoError(f.t, f.Update(g))
		}},
		"a user is removed": {basic("bob", "open sesame"), func(f *fixture) {
			g := configured(issuer.config())
			g.Auth.Users = g.Auth.Users[1:]
			require.NoError(f.t, f.Update(g))
		}},
		"a password changes":   {basic("bob", "open sesame"), func(f *fixture) { f.secrets.set("env:PASSWORD", "rotated"); f.clock.add(11 * time.Second) }},
		"an issuer is removed": {bearer(issuer.token(nil)), func(f *fixture) { require.NoError(f.t, f.Update(configured())) }},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, configured(issuer.config()), func(o *auth.Options) { o.Sweep = 10 * time.Millisecond }).ready()
			got := f.send(auth.GWS(), request("GET", "/api/v2/me", row.headers...))
			require.Equal(t, 200, got.StatusCode)
			cookie := cookieOf(t, got, auth.GWSCookie)
			byCookie := f.send(auth.GWS(), request("GET", "/api/v2/me", "Cookie", cookie.Name+"="+cookie.Value)).caller
			other := f.send(auth.GWS(), request("GET", "/api/v2/me", bearer(adminKey)...)).caller
			stream, release := f.Watch(t.Context(), got.caller)
			defer release()
			cookied, releaseCookied := f.Watch(t.Context(), byCookie)
			defer releaseCookied()
			unconcerned, releaseOther := f.Watch(t.Context(), other)
			defer releaseOther()
			require.NoError(t, stream.Err())
			require.NoError(t, cookied.Err())
			row.end(f)
			require.Eventually(t, func() bool { return isOver(stream) && isOver(cookied) }, time.Minute, time.Millisecond)
			require.NoError(t, unconcerned.Err())
			late, releaseLate := f.Watch(t.Context(), got.caller)
			defer releaseLate()
			require.True(t, isOver(late), "a stream that opens after the end ends at once")
		})
	}
}

func TestAReloadThatChangesNothingEndsNoStream(t *testing.T) {
	issuer := newIDP(t)
	f := newFixture(t, configured(issuer.config())).ready()
	for _, headers := range [][]string{bearer(agentKey), bearer(issuer.token(nil)), basic("bob", "open sesame"), basic("sue", "bcrypted")} {
		stream, release := f.Watch(t.Context(), f.send(auth.GWS(), request("GET", "/api/v2/me", headers...)).caller)
		defer release()
		require.NoError(t, f.Update(configured(issuer.config())))
		require.NoError(t, stream.Err())
	}
}

func TestReleaseAndTheEndOfTheRequestEndAWatch(t *testing.T) {
	f := newFixture(t, configured())
	caller := f.send(auth.GWS(), request("GET", "/api/v2/me", bearer(agentKey)...)).caller
	stream, release := f.Watch(t.Context(), caller)
	release()
	release()
	require.ErrorIs(t, context.Cause(stream), context.Canceled)
	ctx, cancel := context.WithCancel(t.Context())
	stream, release = f.Watch(ctx, caller)
	defer release()
	cancel()
	<-stream.Done()
	stream, release = f.Watch(t.Context(), caller)
	defer release()
	f.Close()
	require.True(t, isOver(stream))
}

func TestAReloadEndsStreamsAtOnce(t *testing.T) {
	f := newFixture(t, configured(), func(o *auth.Options) { o.Sweep = time.Hour })
	stream, release := f.Watch(t.Context(), f.send(auth.GWS(), request("GET", "/api/v2/me", bearer(agentKey)...)).caller)
	defer release()
	g := configured()
	g.Auth.APIKeys = g.Auth.APIKeys[:1]
	require.NoError(t, f.Update(g))
	require.True(t, isOver(stream))
}
