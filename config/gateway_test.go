package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"segue/config"
	"segue/delivery"
	"segue/interaction"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	oneDigest     = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
	anotherDigest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	oneHash       = "$2y$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
)

// guarded is a gateway with every key.
const guarded = `
gateway:
  address: 0.0.0.0:8443
  public_url: https://segue.example.com/
  tls: {certificate: "file:/c.pem", key: "file:/k.pem"}
  auth:
    api_keys:
      - {name: switch, sha256: ` + oneDigest + `, role: platform, contact_centers: ["*"], rate: 50, expires: 2027-01-31}
      - {name: jane, sha256: ` + anotherDigest + `, role: agent, agent: a-17, contact_centers: [berlin]}
    jwt:
      - {name: corporate, issuer: "https://id.example.com", audience: segue}
    users:
      - {name: wallboard, password: env:WALLBOARD, role: supervisor, contact_centers: [berlin]}
      - {name: anna, password_hash: "` + oneHash + `", role: agent, agent: a-18, contact_centers: [berlin]}
  session_keys: [env:SESSION_NEW, env:SESSION_OLD]
  cors: [https://App.example.com, "https://*.example.com"]
  gws: {csrf: required, workbins: [{id: drafts, name: agent.drafts, display_name: Drafts}, {id: 7}]}
  engagement: {trusted: [{network: 10.1.2.3/16, contact_center: berlin}, {network: "2001:db8::1", contact_center: 7}], origins: ["https://*.Shop.example.com"], open_visits: true}
bus: {listen: "127.0.0.1:4223", max_bytes: 64MiB}
board: {window: 30m, service_level: 10s}
`

func TestEverythingOfTheGatewayIsRead(t *testing.T) {
	set := parsed(t, guarded)
	assert.Equal(t, config.Gateway{
		Address: "0.0.0.0:8443", PublicURL: "https://segue.example.com", TLS: config.GatewayTLS{Certificate: "file:/c.pem", Key: "file:/k.pem"},
		Auth: config.Auth{
			APIKeys: []config.APIKey{
				{Name: "switch", SHA256: oneDigest, Role: interaction.RolePlatform, ContactCenters: []string{"*"}, Rate: 50, Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)},
				{Name: "jane", SHA256: anotherDigest, Role: interaction.RoleAgent, Agent: "a-17", ContactCenters: []string{"berlin"}},
			},
			JWT: []config.Issuer{{Name: "corporate", URL: "https://id.example.com", Audience: "segue", Algorithms: []string{"RS256"},
				ContactCentersClaim: "contact_centers", RoleClaim: "role", AgentClaim: "sub"}},
			Users: []config.User{
				{Name: "wallboard", Password: "env:WALLBOARD", Role: interaction.RoleSupervisor, ContactCenters: []string{"berlin"}},
				{Name: "anna", PasswordHash: oneHash, Role: interaction.RoleAgent, Agent: "a-18", ContactCenters: []string{"berlin"}},
			},
		},
		SessionKeys: []delivery.SecretRef{"env:SESSION_NEW", "env:SESSION_OLD"},
		CORS:        []string{"https://app.example.com", "https://*.example.com"},
		GWS:         config.GWS{CSRF: true, Workbins: []config.Workbin{{ID: "drafts", Name: "agent.drafts", DisplayName: "Drafts"}, {ID: "7", Name: "7", DisplayName: "7"}}},
		Engagement: config.Visits{Open: true, Origins: []string{"https://*.shop.example.com"}, Trusted: []config.Trusted{
			{Network: netip.MustParsePrefix("10.1.0.0/16"), ContactCenter: "berlin"}, {Network: netip.MustParsePrefix("2001:db8::1/128"), ContactCenter: "7"}}},
	}, set.Gateway)
	assert.Equal(t, config.Bus{Listen: "127.0.0.1:4223", MaxBytes: 64 << 20}, set.Bus)
	assert.Equal(t, config.Board{Window: 30 * time.Minute, ServiceLevel: 10 * time.Second}, set.Board)
	assert.True(t, set.Gateway.Auth.Configured())
	require.NoError(t, schemaRefuses(t, compiledSchema(t), []byte(guarded)))
}

func TestDefaultsOfTheGateway(t *testing.T) {
	set := parsed(t, "")
	assert.Equal(t, config.Gateway{Address: "127.0.0.1:8080"}, set.Gateway)
	assert.Equal(t, config.Bus{Listen: "127.0.0.1:4222", MaxBytes: 256 << 20}, set.Bus)
	assert.Equal(t, config.Board{Window: time.Hour, ServiceLevel: 20 * time.Second}, set.Board)
	assert.False(t, set.Gateway.Auth.Configured())
}

// A gateway that anybody can reach and use must not start by mistake.
func TestWithoutCredentialsTheGatewayStaysOnLoopback(t *testing.T) {
	for _, address := range []string{"127.0.0.1:8080", "localhost:0", "[::1]:8080", "127.8.8.8:1"} {
		parsed(t, "gateway: {address: '"+address+"'}")
	}
	for _, address := range []string{"0.0.0.0:8080", ":8080", "[::]:8080", "10.0.0.7:8080", "segue.example.com:80"} {
		_, err := config.Parse("f.yaml", []byte("gateway: {address: '"+address+"'}"))
		require.EqualError(t, err, `f.yaml:1: gateway.address: gateway.address "`+address+`" is beyond loopback, and gateway.auth has no credential: `+
			`anybody could use the gateway; add a credential to gateway.auth, or listen on 127.0.0.1:8080`)
	}
	t.Setenv("SEGUE_GATEWAY_ADDRESS", "0.0.0.0:8080")
	_, err := config.Parse("f.yaml", nil)
	require.ErrorContains(t, err, "SEGUE_GATEWAY_ADDRESS: gateway.address \"0.0.0.0:8080\" is beyond loopback")
}

func TestTheEnvironmentSetsTheSettingsOfGatewayAndBus(t *testing.T) {
	for name, value := range map[string]string{"SEGUE_GATEWAY_PUBLIC_URL": "https://x.example.com", "SEGUE_BUS_URL": "tls://n:4222", "SEGUE_BUS_MAX_BYTES": "1MiB",
		"SEGUE_BUS_TOKEN": "env:T", "SEGUE_BOARD_SERVICE_LEVEL": "30s", "SEGUE_BUS_TLS_CA": "file:/ca", "SEGUE_ENGAGEMENT_QUEUE": "web"} {
		t.Setenv(name, value)
	}
	set := parsed(t, "")
	assert.Equal(t, "https://x.example.com", set.Gateway.PublicURL)
	assert.Equal(t, config.Bus{URL: "tls://n:4222", Listen: "127.0.0.1:4222", MaxBytes: 1 << 20, Token: "env:T", CA: "file:/ca"}, set.Bus)
	assert.Equal(t, 30*time.Second, set.Board.ServiceLevel)
	assert.Equal(t, "web", set.Engagement.Queue)
}

// ofTheGateway are mistakes in guarded.
var ofTheGateway = []struct {
	name, old, new, want string
	onlyTheLoader        bool
}{
	{"unknown key", "public_url:", "publicurl:", "f.yaml:4: gateway.publicurl: there is no such key; did you mean public_url? use address, public_url, tls, auth, session_keys, cors, gws, engagement", false},
	{"unknown key of a credential", "rate: 50", "rates: 50", "f.yaml:8: gateway.auth.api_keys[0].rates: there is no such key; did you mean rate? use name, sha256, role, agent, contact_centers, rate, expires", false},
	{"public URL", "https://segue.example.com/", "segue.example.com", `f.yaml:4: gateway.public_url: "segue.example.com" is not the URL of a gateway; write https://host, without a user, a query or a fragment`, false},
	{"certificate without its key", `, key: "file:/k.pem"`, "", "f.yaml:5: gateway.tls.certificate: a server certificate and its key go together; set both gateway.tls.certificate and gateway.tls.key", true},
	{"certificate itself", `"file:/c.pem"`, "hunter2", "f.yaml:5: gateway.tls.certificate: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH", false},
	{"key itself", "sha256: " + oneDigest, "sha256: hunter2", `f.yaml:8: gateway.auth.api_keys[0].sha256: this is not a SHA-256 digest; write the 64 hex digits of: printf %s "$KEY" | sha256sum`, false},
	{"digest twice", anotherDigest, strings.ToUpper(oneDigest), "f.yaml:9: gateway.auth.api_keys[1].sha256: another key has this digest, in line 8; keep one, or make another key", true},
	{"name twice", "name: jane", "name: switch", `f.yaml:9: gateway.auth.api_keys[1].name: the name "switch" is used twice, first in line 8; use another name`, true},
	{"no name", "name: jane, ", "", "f.yaml:9: gateway.auth.api_keys[1].name: the name is missing; write name: …", false},
	{"name", "name: jane", "name: 'a b'", `f.yaml:9: gateway.auth.api_keys[1].name: "a b" is not a name; use letters, digits and . _ - (a user's name may also have @ and +)`, false},
	{"role", "role: platform", "role: boss", `f.yaml:8: gateway.auth.api_keys[0].role: "boss" is not a role; use platform, admin, supervisor or agent`, false},
	{"no role", "role: platform, ", "", "f.yaml:8: gateway.auth.api_keys[0].role: the role is missing; write role: platform, admin, supervisor or agent", false},
	{"agent's key without an agent", "agent: a-17, ", "", "f.yaml:9: gateway.auth.api_keys[1].agent: the role agent needs an agent; write agent: the agent's id", true},
	{"agent of another role", "role: supervisor", "role: supervisor, agent: a-1", "f.yaml:13: gateway.auth.users[0].agent: only the role agent has an agent; remove it, or write role: agent", true},
	{"no contact center", `contact_centers: ["*"], `, "", `f.yaml:8: gateway.auth.api_keys[0].contact_centers: the contact centers are missing; write contact_centers: [NAME], or ["*"] for all`, false},
	{"contact center", `["*"]`, `["ber*"]`, `f.yaml:8: gateway.auth.api_keys[0].contact_centers[0]: "ber*" is not a contact center; use 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -, or "*" for all`, false},
	{"rate", "rate: 50", "rate: -1", "f.yaml:8: gateway.auth.api_keys[0].rate: -1 is out of range; write 0 to 100000", false},
	{"expiry", "2027-01-31", "tomorrow", `f.yaml:8: gateway.auth.api_keys[0].expires: "tomorrow" is not a date or a time; write 2027-01-31 or 2027-01-31T18:00:00Z`, false},
	{"issuer", "https://id.example.com", "id.example.com", "f.yaml:11: gateway.auth.jwt[0].issuer: this is not the URL of an issuer; write https://host/path", false},
	{"issuer in plain text", "https://id.example.com", "http://id.example.com", "f.yaml:11: gateway.auth.jwt[0].issuer: the issuer's keys would cross the network in plain text; write https://…", true},
	{"no audience", ", audience: segue", "", "f.yaml:11: gateway.auth.jwt[0].audience: the audience is missing: tokens for any other service would be accepted; write audience: …", false},
	{"algorithm none", "audience: segue", "audience: segue, algorithms: [RS256, none]", `f.yaml:11: gateway.auth.jwt[0].algorithms[1]: "none" proves nothing: anybody, or any service that checks tokens, could make one; use RS256, PS256, ES256 or EdDSA`, false},
	{"algorithm with a shared secret", "audience: segue", "audience: segue, algorithms: [HS256]", `f.yaml:11: gateway.auth.jwt[0].algorithms[0]: "HS256" proves nothing: anybody, or any service that checks tokens, could make one; use RS256, PS256, ES256 or EdDSA`, false},
	{"algorithm", "audience: segue", "audience: segue, algorithms: [RS265]", `f.yaml:11: gateway.auth.jwt[0].algorithms[0]: "RS265" is not a signature algorithm; did you mean RS256? use RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`, false},
	{"claim without a name", "audience: segue", "audience: segue, claims: {role: ''}", "f.yaml:11: gateway.auth.jwt[0].claims.role: the claim has no name; write role: role, or remove the key", true},
	{"password itself", "password: env:WALLBOARD", "password: hunter2", "f.yaml:13: gateway.auth.users[0].password: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH", false},
	{"no password", "password: env:WALLBOARD, ", "", "f.yaml:13: gateway.auth.users[0].password: the user has no password; write password: env:NAME, password: file:PATH, or password_hash: a bcrypt hash", true},
	{"two passwords", "password: env:WALLBOARD", "password: env:WALLBOARD, password_hash: hunter2", "f.yaml:13: gateway.auth.users[0].password_hash: password and password_hash are both given; keep one", true},
	{"cheap hash", "$2y$12$", "$2y$04$", "f.yaml:14: gateway.auth.users[1].password_hash: this is not a bcrypt hash with a cost of 10 to 15; write the hash of: htpasswd -nBC 12 NAME", true},
	{"session key itself", "env:SESSION_OLD", "hunter2", "f.yaml:15: gateway.session_keys[1]: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH", false},
	{"any origin", `"https://*.example.com"`, `"*"`, "f.yaml:16: gateway.cors[1]: every site could use the gateway in the name of whoever visits it; write https://app.example.com, or https://*.example.com for all hosts below", false},
	{"origin of a whole domain", "https://*.example.com", "https://*.com", `f.yaml:16: gateway.cors[1]: "https://*.com" is not an origin; write https://app.example.com, or https://*.example.com for all hosts below`, false},
	{"origin with a path", "https://App.example.com", "https://app.example.com/x", `f.yaml:16: gateway.cors[0]: "https://app.example.com/x" is not an origin; write https://app.example.com, or https://*.example.com for all hosts below`, false},
	{"csrf", "csrf: required", "csrf: always", `f.yaml:17: gateway.gws.csrf: "always" is not one of the values; use optional, required`, false},
	{"workbin without an id", "{id: 7}", "{name: seven}", "f.yaml:17: gateway.gws.workbins[1].id: the id is missing; write id: …", false},
	{"workbin twice", "{id: 7}", "{id: drafts}", `f.yaml:17: gateway.gws.workbins[1].id: the id "drafts" is used twice, first in line 17; use another id`, true},
	{"workbin with a slash", "{id: 7}", "{id: a/b}", `f.yaml:17: gateway.gws.workbins[1].id: "a/b" is not the id of a workbin; use 1 to 128 characters without a slash`, false},
	{"name of a workbin", "display_name: Drafts", `display_name: "a\nb"`, `f.yaml:17: gateway.gws.workbins[0].display_name: "a\nb" is not a name; use at most 128 characters in one line`, false},
	{"unknown key of a workbin", "{id: 7}", "{id: 7, title: x}", "f.yaml:17: gateway.gws.workbins[1].title: there is no such key; use id, name, display_name", false},
	{"no network", "network: 10.1.2.3/16, ", "", "f.yaml:18: gateway.engagement.trusted[0].network: the network is missing; write an address, or a range such as 10.1.0.0/16", false},
	{"network", "10.1.2.3/16", "10.1/16", `f.yaml:18: gateway.engagement.trusted[0].network: "10.1/16" is not a network; write an address, or a range such as 10.1.0.0/16`, true},
	{"every network", "10.1.2.3/16", "0.0.0.0/0", `f.yaml:18: gateway.engagement.trusted[0].network: "0.0.0.0/0" is every address: anybody could engage visitors; write an address, or a range such as 10.1.0.0/16`, true},
	{"IPv4 in IPv6", "10.1.2.3/16", "'::ffff:10.1.0.0/112'", `f.yaml:18: gateway.engagement.trusted[0].network: "::ffff:10.1.0.0/112" is an IPv4 network in IPv6 form; write it in IPv4 form, such as 10.1.0.0/16`, true},
	{"network of no contact center", "10.1.2.3/16, contact_center: berlin", "10.1.2.3/16", "f.yaml:18: gateway.engagement.trusted[0].contact_center: the contact center is missing; write contact_center: NAME", false},
	{"network of all contact centers", "10.1.2.3/16, contact_center: berlin", "10.1.2.3/16, contact_center: '*'", `f.yaml:18: gateway.engagement.trusted[0].contact_center: "*" is not a contact center; use 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -`, false},
	{"any visitor's origin", `"https://*.Shop.example.com"`, `"*"`, "f.yaml:18: gateway.engagement.origins[0]: every site could use the gateway in the name of whoever visits it; write https://app.example.com, or https://*.example.com for all hosts below", false},
	{"size", "64MiB", "64 megs", `f.yaml:19: bus.max_bytes: "64 megs" is not a size; write 1MiB to 65536MiB`, false},
	{"size out of range", "64MiB", "64KiB", `f.yaml:19: bus.max_bytes: "64KiB" is out of range; write 1MiB to 65536MiB`, true},
	{"bus beyond loopback", "127.0.0.1:4223", "0.0.0.0:4222", `f.yaml:19: bus.listen: the bus would be open to the network at "0.0.0.0:4222" without a user; set bus.user and bus.password, or listen on 127.0.0.1:4222`, true},
	{"bus beyond loopback without TLS", `"127.0.0.1:4223"`, `":4222", user: u, password: env:P`, `f.yaml:19: bus.listen: the bus would be open to the network at ":4222" without TLS; set bus.tls.certificate and bus.tls.key, or listen on 127.0.0.1:4222`, true},
	{"bus URL", "bus: {", "bus: {url: 'http://n:4222', ", `f.yaml:19: bus.url: "http://n:4222" is not a list of NATS servers; write nats://host:4222 or tls://host:4222, several with commas`, false},
	{"password in a bus URL", "bus: {", "bus: {url: 'tls://u:hunter2@n:4222', ", "f.yaml:19: bus.url: a URL cannot contain a user and a password; set bus.user and bus.password, or bus.token", true},
	{"bus in plain text", "bus: {", "bus: {url: 'tls://m:4222,nats://n:4222', ", `f.yaml:19: bus.url: the connection to "n:4222" would be in plain text; write tls://…, or set bus.cleartext to true in a network that you trust`, true},
	{"bus password itself", "bus: {", "bus: {user: u, password: hunter2, ", "f.yaml:19: bus.password: expected a reference to a secret, not the secret itself; write env:NAME or file:PATH", false},
	{"bus user without a password", "bus: {", "bus: {user: u, ", "f.yaml:19: bus.user: a user name and its password go together; set both bus.user and bus.password", true},
	{"token and user", "bus: {", "bus: {user: u, password: env:P, token: env:T, ", "f.yaml:19: bus.token: bus.user is given too; keep the token, or the user and its password", true},
	{"window", "30m", "30s", "f.yaml:20: board.window: 30s is out of range; write 1m to 24h", true},
}

func TestEachMistakeOfTheGatewayIsOneErrorWithItsLine(t *testing.T) {
	schema := compiledSchema(t)
	for _, c := range ofTheGateway {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, guarded, c.old)
			text := []byte(strings.Replace(guarded, c.old, c.new, 1))
			_, err := config.Parse("f.yaml", text)
			require.EqualError(t, err, c.want)
			assert.NotContains(t, err.Error(), "hunter2")
			for _, e := range err.(config.Errors) {
				assert.NotContains(t, e.Value, "hunter2")
			}
			if refused := schemaRefuses(t, schema, text); c.onlyTheLoader {
				assert.NoError(t, refused, "the schema finds it now")
			} else {
				assert.Error(t, refused)
			}
		})
	}
}

func TestAPlainTextBusIsAllowedExplicitly(t *testing.T) {
	for _, text := range []string{"{url: 'nats://n:4222', cleartext: true}", "{url: 'nats://n:4222', tls: {ca: file:/ca}}", "{url: 'nats://localhost:4222'}",
		"{url: 'tls://n:4222, tls://m:4222'}", "{listen: '0.0.0.0:4222', user: u, password: env:P, tls: {certificate: file:/c, key: file:/k}}", "{listen: ''}"} {
		parsed(t, "bus: "+text)
	}
}

// What may be changed without a restart is what operators change in a hurry.
func TestAReloadChangesCredentialsWithoutARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segue.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write(guarded)
	store, err := config.Open(path)
	require.NoError(t, err)
	started := store.Current()
	reload := func(old, changed string) *config.Set {
		require.Contains(t, guarded, old)
		write(strings.Replace(guarded, old, changed, 1))
		next, err := store.Reload(func(*config.Set) error { return nil })
		require.NoError(t, err)
		require.NotSame(t, started, next)
		require.Equal(t, started.Version, next.Version, "calls and triggers are the same")
		return next
	}
	require.Empty(t, reload("rate: 50", "rate: 60").NeedsRestart(started))
	require.Empty(t, reload("session_keys: [env:SESSION_NEW, env:SESSION_OLD]", "session_keys: [env:SESSION_NEW]").NeedsRestart(started))
	require.Empty(t, reload("https://App.example.com", "https://b.example.com").NeedsRestart(started))
	require.Empty(t, reload("https://segue.example.com/", "https://b.example.com").NeedsRestart(started))
	require.Empty(t, reload("csrf: required", "csrf: optional").NeedsRestart(started))
	require.Empty(t, reload("{id: 7}", "{id: 8}").NeedsRestart(started))
	require.Empty(t, reload("open_visits: true", "open_visits: false").NeedsRestart(started))
	require.Empty(t, reload("30m", "31m").NeedsRestart(started))
	require.Equal(t, []string{"gateway.address"}, reload("0.0.0.0:8443", "0.0.0.0:9443").NeedsRestart(started))
	require.Equal(t, []string{"gateway.tls.key"}, reload("file:/k.pem", "file:/k2.pem").NeedsRestart(started))
	require.Equal(t, []string{"bus.max_bytes"}, reload("64MiB", "65MiB").NeedsRestart(started))
}

// A worker does not read the gateway's secrets, nor does a gateway read those of calls.
func TestSecretsOfTheGatewayAreListedApart(t *testing.T) {
	t.Setenv("SESSION_NEW", "x")
	set := parsed(t, guarded)
	require.Empty(t, set.MissingSecrets())
	require.EqualError(t, set.MissingGatewaySecrets(), strings.Join([]string{
		":13: gateway.auth.users[0].password: secret env:WALLBOARD is not set; set it and restart the process: a running process does not see new variables",
		":15: gateway.session_keys[1]: secret env:SESSION_OLD is not set; set it and restart the process: a running process does not see new variables",
	}, "\n"))
}
