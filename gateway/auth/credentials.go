package auth

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Bounds of what a client sends as a credential, in bytes.
const (
	maxToken = 16 << 10
	maxKey   = 512
	maxBasic = 1 << 10
)

type kind string

const (
	kindNone     kind = ""
	kindKey      kind = "key"
	kindJWT      kind = "jwt"
	kindBasic    kind = "user"
	kindLoopback kind = "loopback"
)

// credential is what a request shows explicitly.
type credential struct {
	kind           kind
	token          string // an API key or a JWT
	name, password string // of Basic
}

// credentialOf reads the headers Authorization and X-API-Key. Two credentials that differ are
// malformed: a proxy and the gateway could each believe another one.
func credentialOf(h http.Header) (credential, *refusal) {
	authorization, keys := h["Authorization"], h["X-Api-Key"]
	if len(authorization) > 1 || len(keys) > 1 {
		return credential{}, malformed("repeated", "Authorization or X-API-Key is given more than once.")
	}
	var given credential
	if len(authorization) == 1 {
		var no *refusal
		if given, no = parseAuthorization(authorization[0]); no != nil {
			return credential{}, no
		}
	}
	if len(keys) == 0 {
		return given, nil
	}
	byKey, no := bearerOf(strings.TrimSpace(keys[0]))
	if no != nil {
		return credential{}, no
	}
	if given.kind != kindNone && given != byKey {
		return credential{}, malformed("contradicting", "Authorization and X-API-Key contradict each other.")
	}
	return byKey, nil
}

func parseAuthorization(value string) (credential, *refusal) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case equalFold(scheme, "Bearer"):
		return bearerOf(rest)
	case equalFold(scheme, "Basic"):
		return basicOf(rest)
	default:
		return credential{}, wrong("scheme")
	}
}

// bearerOf tells an API key from a JWT, which has three parts separated by dots.
func bearerOf(token string) (credential, *refusal) {
	isJWT := strings.Count(token, ".") == 2
	switch {
	case token == "" || strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return credential{}, wrong("token-form")
	case isJWT && len(token) <= maxToken:
		return credential{kind: kindJWT, token: token}, nil
	case !isJWT && len(token) <= maxKey:
		return credential{kind: kindKey, token: token}, nil
	default:
		return credential{}, wrong("token-size")
	}
}

func basicOf(encoded string) (credential, *refusal) {
	if len(encoded) > maxBasic {
		return credential{}, wrong("basic-size")
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return credential{}, wrong("basic-form")
	}
	name, password, found := strings.Cut(string(text), ":")
	if !found || name == "" {
		return credential{}, wrong("basic-form")
	}
	return credential{kind: kindBasic, name: name, password: password}, nil
}

// equalFold compares ASCII texts without regard to case. The Kelvin sign is no k here.
func equalFold(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(a, b)
}
