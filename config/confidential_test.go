package config_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"segue/config"
	"segue/config/check"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// misplaced are fragments of a call with a secret instead of its reference, or in a URL.
var misplaced = []string{
	`sign: {secrets: whsec_S3CRETS3CRET}`,
	`sign: whsec_S3CRETS3CRET`,
	`auth: Bearer S3CRET`,
	`auth: {basic: "ada:S3CRET"}`,
	`auth: {bearer: 5350004242}`,
	`auth: {api_key: S3CRET}`,
	`auth: {api_key: {in: S3CRET, name: X, key: "env:K"}}`,
	`auth: {oauth2: S3CRET}`,
	`auth: {mtls: "-----BEGIN PRIVATE KEY-----S3CRET"}`,
	`tls: S3CRET`,
	`url: "ftp://ada:S3CRET@h/"`,
	`url: "https://ada:S3CRET^@h/"`,
	`url: "https://ada:S3CRET@h:x/"`,
	`url: "https://h/?token=S3CRET#x"`,
	`headers: [{name: X-Key, value: "S3CRET\x01"}]`,
	`url: "https://ada:S3CRET@h/"`,
	`auth: {bearer: S3CRET}`,
	`auth: {bearer: [S3CRET]}`,
	`auth: {basic: {username: ada, password: S3CRET}}`,
	`headers: [{name: Authorization, value: "Bearer S3CRET"}]`,
	`headers: [{name: Cookie, value: S3CRET}]`,
	`url: "https://h/?api_key=S3CRET"`,

	`auth: {basic: {S3CRET: env:P}}`,
	`auth: {basic: {username: env:U, username: S3CRET, password: env:P}}`,
	`auth: {api_key: {name: "S3CRET value", key: "env:K"}}`,
	`auth: {api_key: {name: X-S3CRET, key: "env:K"}}` + "\n    headers: [{name: X-S3CRET, value: x}]",
	`auth: {oauth2: {token_url: "https://ada:S3CRET@h/", client_id: S3CRET, client_secret: env:S}}`,
	`auth: {oauth2: {token_url: "https://h/", client_id: env:I, client_secret: env:S, params: S3CRET}}`,
	`auth: {oauth2: {token_url: "https://h/", client_id: env:I, client_secret: env:S, params: [{name: "", value: S3CRET}]}}`,
	`auth: {bearer: *S3CRET}`,
	`auth: {bearer: !S3CRET x}`,
	`tls: {ca: S3CRET, server_name: "S3CRET S3CRET"}`,
	`url: "ada:S3CRET@h/"`,
	`url: "h/?token=S3CRET"`,
	`url: "https://h/a b?token=S3CRET"`,
	`url: "https://h/?token=S3CRET&x=${interaction.idd}"`,
	`url: "https://h/${interaction.id&token=S3CRET"`,
	`url: "https://h/x?S3CRET#y"`,
	`query: [{name: token, value: "S3CRET${interaction.idd}"}]`,
	`query: [{name: token, value: "${interaction.id&S3CRET"}]`,
}

func TestNoSecretIsRepeated(t *testing.T) {
	for _, fragment := range misplaced {
		t.Run(fragment, func(t *testing.T) {
			text := "calls:\n  - name: crm\n    method: GET\n    " + fragment + "\n"
			if !strings.Contains(fragment, "url: \"") || strings.Contains(fragment, "token_url") {
				text += "    url: https://h/\n"
			}
			set, err := config.Parse("f.yaml", []byte(text))
			said := fmt.Sprint(err)
			if err != nil {
				encoded, failed := json.Marshal(err)
				require.NoError(t, failed)
				said += string(encoded)
			} else {
				report, failed := json.Marshal(check.NewReport(set))
				require.NoError(t, failed)
				said = string(report)
			}
			assert.NotContains(t, said, "S3CRET")
			assert.NotContains(t, said, "5350004242")
		})
	}
}

func TestNoSecretOfASettingIsRepeated(t *testing.T) {
	for _, text := range []string{
		`engagement: {backend: "https://ada:S3CRET^@h/"}`,
		`engagement: {backend: "https://h/?token=S3CRET"}`,
		`temporal: {api_key: S3CRET}`,
		`temporal: {api_key: {S3CRET: x}}`,
		`temporal: {address: "ada:S3CRET@h:7233"}`,
		`temporal: {tls: {enabled: S3CRET, key: S3CRET, certificate: S3CRET}}`,
		`temporal: {tls: S3CRET}`,
		`guard: {proxy: "http://ada:S3CRET@h:3128"}`,
		`guard: {proxy: {url: "http://ada:S3CRET@h:3128"}}`,
		`guard: {allow: ["https://ada:S3CRET@h/"]}`,
	} {
		t.Run(text, func(t *testing.T) {
			_, err := config.Parse("f.yaml", []byte(text))
			require.Error(t, err)
			encoded, failed := json.Marshal(err)
			require.NoError(t, failed)
			assert.NotContains(t, err.Error()+string(encoded), "S3CRET")
		})
	}
}

func TestOnlyTheSecretPartsOfAValueAreHidden(t *testing.T) {
	_, err := config.Parse("f.yaml", []byte("calls: [{name: crm, method: GET, url: \"ftp://ada:S3CRET@h/path?token=S3CRET\"}]"))
	mistakes, ok := err.(config.Errors)
	require.True(t, ok)
	assert.Equal(t, "ftp://***@h/path?***", mistakes[0].Value)
}
