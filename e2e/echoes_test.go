package e2e_test

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/delivery/hostiletest"
)

// echoes are receivers that echo requests in every way they can, and the secrets that the requests contain.
type echoes struct {
	canaries map[string]canary
	// environment has what the configuration refers to.
	environment []string
	files       map[string]string
	plain       *httptest.Server
	mutual      *httptest.Server // asks for a client certificate
	issuer      *httptest.Server // of tokens
	refuser     *httptest.Server // of tokens; it echoes the request

	mu   sync.Mutex
	seen map[string]int // canaries that arrived as they should, by kind and way of answering
}

// Calls authenticate in each of these kinds, and each is answered in each of these ways.
var (
	kinds   = []string{"basic", "bearer", "header", "query", "oauth2", "sign", "mtls"}
	answers = []string{"ok", "plain", "json", "base64", "hex", "url", "cut", "redirect", "garbage", "refused"}
)

func newEchoes(t *testing.T) *echoes {
	t.Helper()
	g := &echoes{canaries: map[string]canary{}, files: map[string]string{}, seen: map[string]int{}}
	g.plain = httptest.NewServer(http.HandlerFunc(g.answer))
	t.Cleanup(g.plain.Close)
	g.issuer = httptest.NewServer(http.HandlerFunc(g.issue))
	t.Cleanup(g.issuer.Close)
	g.refuser = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":%q}`, everything(r))
	}))
	t.Cleanup(g.refuser.Close)
	g.plant(t)
	return g
}

// set sets a variable for Segue's processes, not for those of other tests.
func (g *echoes) set(name, value string) { g.environment = append(g.environment, name+"="+value) }

// plant makes a canary of each secret and stores it where the configuration refers to it.
func (g *echoes) plant(t *testing.T) {
	t.Helper()
	grow := func(kind, format string) canary {
		core := make([]byte, 12)
		_, _ = rand.Read(core)
		text := hex.EncodeToString(core)
		c := canary{kind: kind, value: fmt.Sprintf(format, text), cores: []string{text}}
		g.canaries[kind] = c
		return c
	}
	for kind, format := range map[string]string{
		"user": "user-%s", "basic": `p"ss %s&=/+`, "bearer": "%s.abc~x-y", "header": "key %s <&>", "query": "q/%s+&= é",
		"id": "client-%s", "oauth2": "s:%s/+%%&", "token": "eyJ%s.x-y_z", "broken": "garbage %s", "newline": "one\n%s",
	} {
		g.set("CANARY_"+strings.ToUpper(kind), grow(kind, format).value)
	}
	raw := grow("sign", "%s------------")
	g.set("CANARY_SIGN", "whsec_"+base64.StdEncoding.EncodeToString([]byte(raw.value)))

	authority, dir := hostiletest.NewAuthority(t), t.TempDir()
	client := authority.Issue(t, hostiletest.Leaf{Host: "segue"})
	certificate, key := hostiletest.Files(t, client)
	lines := strings.Split(strings.TrimSpace(string(key)), "\n")
	// The search for the key looks for lines in the middle of its file.
	g.canaries["mtls"] = canary{kind: "mtls", cores: []string{lines[1][:40], lines[2][:40]}}
	for name, content := range map[string][]byte{
		"CRT": certificate, "KEY": key, "CA": authority.PEM(), "BEARER_FILE": []byte(g.canaries["bearer"].value + "\n"),
		"BROKEN_KEY": []byte("-----BEGIN PRIVATE KEY-----\n" + g.canaries["broken"].value),
	} {
		file := filepath.Join(dir, strings.ToLower(name))
		require.NoError(t, os.WriteFile(file, content, 0o600))
		g.files[name] = file
	}
	g.mutual = httptest.NewUnstartedServer(http.HandlerFunc(g.answer))
	g.mutual.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Issue(t, hostiletest.Leaf{})},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority.Pool()}
	g.mutual.StartTLS()
	t.Cleanup(g.mutual.Close)
}

// all returns the canaries that must not appear anywhere.
func (g *echoes) all() (list []canary) {
	for _, c := range g.canaries {
		list = append(list, c)
	}
	return list
}

// auth returns the authentication of a kind in the configuration.
func (g *echoes) auth(kind string) string {
	file := func(name string) string { return "file:" + g.files[name] }
	mtls := func(key string) string {
		return fmt.Sprintf("auth: {mtls: {certificate: %q, key: %q}}, tls: {ca: %q}", file("CRT"), file(key), file("CA"))
	}
	oauth2 := func(url string) string {
		return fmt.Sprintf("auth: {oauth2: {token_url: %q, client_id: env:CANARY_ID, client_secret: env:CANARY_OAUTH2}}", url)
	}
	switch kind {
	case "basic":
		return "auth: {basic: {username: env:CANARY_USER, password: env:CANARY_BASIC}}"
	case "bearer":
		return fmt.Sprintf("auth: {bearer: %q}", file("BEARER_FILE"))
	case "header":
		return "auth: {api_key: {in: header, name: X-Api-Key, key: env:CANARY_HEADER}}"
	case "query":
		return "auth: {api_key: {in: query, name: key, key: env:CANARY_QUERY}}"
	case "oauth2":
		return oauth2(g.issuer.URL)
	case "sign":
		return "sign: {secrets: [env:CANARY_SIGN]}"
	case "mtls":
		return mtls("KEY")
	case "no-token":
		return oauth2(g.refuser.URL)
	case "broken-key":
		return mtls("BROKEN_KEY")
	case "broken-sign":
		return "sign: {secrets: [env:CANARY_BROKEN]}"
	case "newline":
		return "auth: {bearer: env:CANARY_NEWLINE}"
	case "misplaced":
		return "auth: {bearer: env:CANARY_UNSET}"
	}
	panic("no such kind: " + kind)
}

// config has a call of each kind to a receiver of each way of answering, and calls whose secrets are rejected.
func (g *echoes) config() (text string, calls []string) {
	var b strings.Builder
	call := func(kind, answer string) {
		name := kind + "-" + answer
		base := g.plain.URL
		if strings.Contains(g.auth(kind), "mtls") {
			base = g.mutual.URL
		}
		calls = append(calls, name)
		fmt.Fprintf(&b, `  - {name: %s, method: POST, url: "%s/%s/%s", json: {id: "${interaction.id}"}, timeout: 5s, retry: {schedule: [50ms]},
     returns: [{from: echo, to: "echo_%s"}], %s}
`, name, base, kind, answer, kind, g.auth(kind))
	}
	for _, kind := range kinds {
		for _, answer := range answers {
			call(kind, answer)
		}
	}
	for _, kind := range []string{"no-token", "broken-key", "broken-sign", "newline", "misplaced"} {
		call(kind, "ok")
	}
	var triggers strings.Builder
	for _, name := range calls {
		fmt.Fprintf(&triggers, "  - {when: [interaction_starts, inbound.dtmf], call: %s}\n", name)
	}
	return fmt.Sprintf(`calls:
%striggers:
%stimeouts: {default: {offer: 0s, queue: 0s, wrap_up: 24h, engagement: 0s, late_events: 0s}}
guard: {allow: ["127.0.0.0/8"]}
`, b.String(), triggers.String()), calls
}

// everything returns the content of a request, credentials first.
func everything(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	var b strings.Builder
	for _, name := range []string{"Authorization", "X-Api-Key", "Webhook-Signature"} {
		if value := r.Header.Get(name); value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	if user, password, ok := r.BasicAuth(); ok {
		fmt.Fprintln(&b, user, password)
	}
	query, _ := url.QueryUnescape(r.URL.RawQuery)
	fmt.Fprintln(&b, r.URL.String(), query, string(body), r.Header)
	return b.String()
}

// answer responds in the way that the last part of the path names.
func (g *echoes) answer(w http.ResponseWriter, r *http.Request) {
	kind, answer, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	g.note(kind+"-"+answer, r)
	text := everything(r)
	switch answer {
	case "ok":
		_ = json.NewEncoder(w).Encode(map[string]string{"echo": text})
	case "plain":
		http.Error(w, text, 500)
	case "json":
		w.WriteHeader(500)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": text})
	case "base64":
		http.Error(w, base64.StdEncoding.EncodeToString([]byte(text)), 500)
	case "hex":
		http.Error(w, hex.EncodeToString([]byte(text)), 500)
	case "url":
		http.Error(w, url.QueryEscape(text), 500)
	case "redirect":
		w.Header().Set("Location", "http://127.0.0.1:1/?"+url.QueryEscape(text))
		w.Header().Set("Retry-After", url.QueryEscape(text))
		w.WriteHeader(302)
	case "refused":
		w.Header().Set("WWW-Authenticate", strings.ReplaceAll(text, "\n", " "))
		http.Error(w, text, http.StatusUnauthorized)
	case "cut", "garbage":
		g.hijacked(w, answer, text)
	}
}

// hijacked responds as no proper server would.
func (g *echoes) hijacked(w http.ResponseWriter, answer, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // HTTP/2
	}
	defer conn.Close()
	line, _, _ := strings.Cut(text, "\n")
	if answer == "garbage" {
		fmt.Fprintf(conn, "HTTP/1.1 %s\r\n\r\n", line)
		return
	}
	// The answer ends within the secret.
	fmt.Fprintf(conn, "HTTP/1.1 500 %s\r\nContent-Length: 5000\r\n\r\n%s", line, line[:len(line)-8])
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.CloseWrite()
	}
}

func (g *echoes) issue(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id, _ := url.QueryUnescape(id); id != g.canaries["id"].value {
		http.Error(w, everything(r), http.StatusUnauthorized)
		return
	}
	if secret, _ := url.QueryUnescape(secret); secret != g.canaries["oauth2"].value {
		http.Error(w, everything(r), http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":3600}`, g.canaries["token"].value)
}

// note counts a request whose credential is the planted one.
func (g *echoes) note(name string, r *http.Request) {
	right := false
	switch kind, _, _ := strings.Cut(name, "-"); kind {
	case "basic":
		user, password, _ := r.BasicAuth()
		right = user == g.canaries["user"].value && password == g.canaries["basic"].value
	case "bearer":
		right = r.Header.Get("Authorization") == "Bearer "+g.canaries["bearer"].value
	case "header":
		right = r.Header.Get("X-Api-Key") == g.canaries["header"].value
	case "query":
		right = r.URL.Query().Get("key") == g.canaries["query"].value
	case "oauth2":
		right = r.Header.Get("Authorization") == "Bearer "+g.canaries["token"].value
	case "sign":
		right = strings.HasPrefix(r.Header.Get("webhook-signature"), "v1,")
	case "mtls":
		right = r.TLS != nil && len(r.TLS.PeerCertificates) == 1
	}
	if right {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.seen[name]++
	}
}
