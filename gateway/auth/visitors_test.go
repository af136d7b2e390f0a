package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/gateway/auth"
	"segue/gateway/problem"
)

func TestPagesOfVisitors(t *testing.T) {
	g := configured()
	g.CORS = []string{"https://app.example.com"}
	g.Engagement.Origins = []string{"https://shop.example.com", "https://*.shops.example"}
	f := newFixture(t, g)
	reached := false
	served := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })
	h := f.Visitors(func(w http.ResponseWriter, _ *http.Request, p *problem.Problem) { auth.Refuse(w, p) }, served)
	var got answer
	for origin, allowed := range map[string]bool{"https://shop.example.com": true, "https://a.shops.example": true, "": true,
		"https://app.example.com": false, "https://evil.example": false, "null": false, "https://shops.example": false} {
		t.Run(origin, func(t *testing.T) {
			reached = false
			headers := []string{"Origin", origin}
			if origin == "" {
				headers = nil
			}
			actual := f.record(h, request("POST", "/server/cometd", headers...), &got)
			require.Equal(t, allowed, reached)
			if !allowed {
				require.Equal(t, 403, actual.StatusCode)
				require.Empty(t, actual.Header.Get("Access-Control-Allow-Origin"))
			} else if origin != "" {
				require.Equal(t, origin, actual.Header.Get("Access-Control-Allow-Origin"))
				require.Equal(t, "true", actual.Header.Get("Access-Control-Allow-Credentials"))
			}
		})
	}
	// The origins of visitors' pages get nothing of the other paths.
	require.Empty(t, f.record(f.CORS(served), request("POST", "/v1/interactions", "Origin", "https://shop.example.com"), &got).Header.Get("Access-Control-Allow-Origin"))
	preflight := f.record(h, request("OPTIONS", "/server/cometd", "Origin", "https://shop.example.com", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "content-type"), &got)
	require.Equal(t, "https://shop.example.com", preflight.Header.Get("Access-Control-Allow-Origin"))
}

func TestWithoutCredentialsOnlyThisMachineIsAVisitor(t *testing.T) {
	f := newFixture(t, config.Gateway{Address: "127.0.0.1:8080"})
	detail := ""
	h := f.Visitors(func(w http.ResponseWriter, _ *http.Request, p *problem.Problem) { detail = p.Detail; auth.Refuse(w, p) }, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	var got answer
	require.Equal(t, 200, f.record(h, local("GET", "http://localhost:8080/server/cometd"), &got).StatusCode)
	for name, r := range map[string]*http.Request{
		"elsewhere": request("GET", "http://localhost:8080/server/cometd"),
		"rebound":   local("GET", "http://evil.example:8080/server/cometd"),
		"proxy":     local("GET", "http://localhost:8080/server/cometd", "X-Forwarded-For", "192.0.2.1"),
	} {
		require.Equal(t, 403, f.record(h, r, &got).StatusCode, name)
		require.Equal(t, name == "proxy", strings.Contains(detail, "X-Forwarded-For"), detail)
	}
}
