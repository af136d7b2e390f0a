package gateway_test

import (
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"segue/e2e/stack"
	"segue/interaction"
)

// The user of the tests, for HTTP basic authentication: ann, too.
const (
	userName     = "ann@acme"
	userPassword = "open sesame"
	passwordName = "SEGUE_TEST_PASSWORD"
)

// users are the entries of gateway.auth.users.
func users() string {
	return "    users:\n      - {name: " + userName + ", password: env:" + passwordName + ", role: agent, agent: ann, contact_centers: [acme]}\n"
}

func basic(name, password string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))}
}

// token returns a JWT with some claims replaced.
func token(changed map[string]any) string {
	return sign(jose.RS256, issuer.key(), issuer.claims(changed), nil)
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// desktop is a browser with a session of GWS.
type desktop struct{ cookie, csrf string }

func newDesktop(t *testing.T, headers ...string) desktop {
	t.Helper()
	return newDesktopAt(t, served.url, headers...)
}

func newDesktopAt(t *testing.T, url string, headers ...string) desktop {
	t.Helper()
	a := gwsAt(t, url, http.MethodGet, "/api/v2/me", "", headers...)
	require.Equal(t, "X-CSRF-TOKEN", a.Header.Get("X-CSRF-HEADER"))
	require.NotEmpty(t, a.Header.Get("X-CSRF-TOKEN"))
	return desktop{cookie: cookieNamed(t, a, "JSESSIONID"), csrf: a.Header.Get("X-CSRF-TOKEN")}
}

// cookieNamed returns a cookie that an answer sets, as a request has it.
func cookieNamed(t *testing.T, a answer, name string) string {
	t.Helper()
	for _, set := range a.Header.Values("Set-Cookie") {
		cookie, attributes, _ := strings.Cut(set, ";")
		if strings.HasPrefix(cookie, name+"=") {
			require.Contains(t, attributes, "HttpOnly")
			require.Contains(t, attributes, "Path=/")
			require.Contains(t, attributes, "SameSite=Lax")
			return cookie
		}
	}
	require.Fail(t, "no cookie "+name, "%v", a.Header)
	return ""
}

func gwsAt(t *testing.T, url, method, path, body string, headers ...string) answer {
	t.Helper()
	a, err := stack.Send(t.Context(), client, method, url+path, body, headers...)
	require.NoError(t, err)
	require.NotEmpty(t, a.Header.Get("Segue-Request-Id"))
	return a
}

// gwsFrom sends a POST from an address of this machine.
func gwsFrom(t *testing.T, address, path, body string, headers ...string) answer {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	from := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}}
	a, err := stack.Send(t.Context(), from, http.MethodPost, served.url+path, body, headers...)
	require.NoError(t, err)
	return a
}

// requireGWS checks the status of an answer of GWS, and that both of its forms say the same.
func requireGWS(t *testing.T, status, code int, a answer, about string) {
	t.Helper()
	require.Equal(t, status, a.Status, "%s: %s", about, a.Raw)
	require.Equal(t, "application/json", a.Header.Get("Content-Type"), about)
	require.EqualValues(t, code, a.Body["statusCode"], "%s: %s", about, a.Raw)
	if code == 0 || code == 7 {
		return
	}
	require.Equal(t, "error", a.Body["status"], "%s: %s", about, a.Raw)
	require.NotEmpty(t, a.Body["statusMessage"], about)
	require.Equal(t, a.Body["statusMessage"], a.Body["errorDescription"], about)
	require.NotContains(t, string(a.Raw), secret, about)
}

// shown is a credential as a client shows it, and who it makes the client.
type shown struct {
	name    string
	headers []string
	// role is empty for nobody; agent is the agent's id.
	role  interaction.Role
	agent string
	// center is the only contact center.
	center string
}

// credentials are those of every kind, each of which gets in.
func credentials(t *testing.T) []shown {
	t.Helper()
	list := []shown{}
	for _, c := range []caller{thePlatform, theAdmin, theSupervisor, ann, bob, carl, elsewhere} {
		s := shown{name: "key of " + c.name, headers: c.headers(), role: c.role, center: c.centers}
		if c.role == interaction.RoleAgent {
			s.agent = c.name
		}
		list = append(list, s)
	}
	byCookie := newDesktop(t, ann.headers()...)
	return append(list,
		shown{"token of an agent", bearer(token(nil)), interaction.RoleAgent, "ann", "acme"},
		shown{"token of another agent", bearer(token(map[string]any{"sub": "bob"})), interaction.RoleAgent, "bob", "acme"},
		shown{"token of an admin", bearer(token(map[string]any{"role": "admin"})), interaction.RoleAdmin, "", "acme"},
		shown{"token of an agent elsewhere", bearer(token(map[string]any{"contact_centers": "umbrella"})), interaction.RoleAgent, "ann", "umbrella"},
		shown{"password", basic(userName, userPassword), interaction.RoleAgent, "ann", "acme"},
		shown{"cookie", []string{"Cookie", byCookie.cookie}, interaction.RoleAgent, "ann", "acme"},
		shown{"cookie with its token", []string{"Cookie", byCookie.cookie, "X-CSRF-TOKEN", byCookie.csrf}, interaction.RoleAgent, "ann", "acme"},
		shown{"cookie on an allowed page", []string{"Cookie", byCookie.cookie, "Origin", "https://app.example.com"}, interaction.RoleAgent, "ann", "acme"},
	)
}
