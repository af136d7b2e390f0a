package auth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"segue/config"
	"segue/delivery"
	"segue/gateway/auth"
	"segue/interaction"
)

func TestUnsafeConfigurationsAreRefused(t *testing.T) {
	issuer := config.Issuer{Name: "idp", URL: "https://idp.example", Audience: "segue"}
	jwt := func(change func(*config.Issuer)) config.Gateway {
		changed := issuer
		change(&changed)
		return configured(changed)
	}
	key := func(change func(*config.APIKey)) config.Gateway {
		g := configured()
		change(&g.Auth.APIKeys[1])
		return g
	}
	user := func(change func(*config.User)) config.Gateway {
		g := configured()
		change(&g.Auth.Users[0])
		return g
	}
	cors := func(origin string) config.Gateway {
		g := configured()
		g.CORS = []string{origin}
		return g
	}
	rows := map[string]struct {
		config config.Gateway
		text   string
	}{
		"no auth beyond loopback":     {config.Gateway{Address: "0.0.0.0:8080"}, "reachable from other machines"},
		"no auth at all interfaces":   {config.Gateway{Address: ":8080"}, "reachable from other machines"},
		"no auth at a name":           {config.Gateway{Address: "segue.example.com:8080"}, "reachable from other machines"},
		"alg none":                    {jwt(func(i *config.Issuer) { i.Algorithms = []string{"RS256", "none"} }), `"none" is not accepted`},
		"HS256":                       {jwt(func(i *config.Issuer) { i.Algorithms = []string{"HS256"} }), `"HS256" is not accepted`},
		"issuer without TLS":          {jwt(func(i *config.Issuer) { i.URL = "http://idp.example" }), "must begin with https://"},
		"issuer without audience":     {jwt(func(i *config.Issuer) { i.Audience = "" }), "audience: missing"},
		"issuer without an authority": {jwt(func(i *config.Issuer) { i.CA = "file:missing.pem" }), "ca: "},
		"key that is no hash":         {key(func(k *config.APIKey) { k.SHA256 = agentKey }), "not 64 hexadecimal digits"},
		"key twice":                   {key(func(k *config.APIKey) { k.SHA256 = hashed(adminKey) }), "there already"},
		"key of no role":              {key(func(k *config.APIKey) { k.Role = "" }), "role: "},
		"key of no agent":             {key(func(k *config.APIKey) { k.Agent = "" }), "not an agent id"},
		"key without contact center":  {key(func(k *config.APIKey) { k.ContactCenters = nil }), "name at least one"},
		"user with two passwords":     {user(func(u *config.User) { u.PasswordHash = passwordHash }), "either password or password_hash"},
		"user whose hash is none":     {user(func(u *config.User) { u.Password, u.PasswordHash = "", "open sesame" }), "not a bcrypt hash"},
		"user whose secret is gone":   {user(func(u *config.User) { u.Password = "env:MISSING" }), "not set"},
		"user twice":                  {user(func(u *config.User) { u.Name = "sue" }), "there already"},
		"every origin":                {cors("*"), "no origin"},
		"every https origin":          {cors("https://*"), "no origin"},
		"every com":                   {cors("https://*.com"), "must precede a domain"},
		"a star within a name":        {cors("https://app*.example.com"), "no origin"},
		"two stars":                   {cors("https://*.*.example.com"), "no origin"},
		"an origin with a path":       {cors("https://app.example.com/"), "no origin"},
		"no page":                     {cors("null"), "no origin"},
		"a session key that is short": {func() config.Gateway {
			g := configured()
			g.SessionKeys = []delivery.SecretRef{"env:PASSWORD"}
			return g
		}(), "shorter than 32"},
		"a public URL of no kind": {func() config.Gateway {
			g := configured()
			g.PublicURL = "segue.example.com"
			return g
		}(), "gateway.public_url"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			_, err := auth.New(row.config, auth.Options{Resolve: newSecrets().resolve})
			require.ErrorContains(t, err, row.text)
			require.NotContains(t, err.Error(), "open sesame")
			require.NotContains(t, err.Error(), agentKey)
		})
	}
}

func TestRoles(t *testing.T) {
	supervisor := []string{"start", "connect", "abandon", "segment_change", "survey", "queue_event", "dtmf", "signal_added", "signal_removed", "engage", "engagement_result", "noengage"}
	for _, command := range append(interaction.Commands(), "start") {
		for role, denied := range map[interaction.Role][]string{interaction.RolePlatform: nil, interaction.RoleAdmin: nil,
			interaction.RoleSupervisor: supervisor, interaction.RoleAgent: {"start"}} {
			want := true
			for _, d := range denied {
				want = want && d != command
			}
			require.Equal(t, want, auth.MayCommand(&auth.Caller{Role: role}, command), "%s %s", role, command)
		}
		require.False(t, auth.MayCommand(&auth.Caller{}, command))
	}
	for _, command := range supervisor {
		require.True(t, command == "start" || interaction.IsCommand(command), command)
	}
}
