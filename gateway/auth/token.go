package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"segue/config"
	"segue/interaction"
)

// leeway is by how much the clock of an issuer may differ from ours.
const leeway = time.Minute

// maxCenters bounds the contact centers that a token names.
const maxCenters = 1000

// byToken authenticates a JWT. Its issuer is chosen by the claim iss, which is trusted for nothing
// else before the signature is verified. The headers jku, x5u and jwk are never looked at.
func (a *Auth) byToken(ctx context.Context, s *state, token string) (*Caller, *refusal) {
	if len(token) > maxToken {
		return nil, wrong("token-size")
	}
	header, claims, ok := peek(token)
	if !ok {
		return nil, wrong("token-form")
	}
	if _, critical := header["crit"]; critical {
		return nil, wrong("token-crit")
	}
	no := wrong("token-issuer")
	for _, i := range s.issuers {
		if i.config.URL != text(claims["iss"]) {
			continue
		}
		var caller *Caller
		// Two issuers may have one URL and different audiences.
		if caller, no = a.byIssuer(ctx, i, header, token); no == nil {
			return caller, nil
		}
	}
	return nil, no
}

// peek decodes the header and the claims of a token without verifying it.
func peek(token string) (header, claims map[string]any, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, nil, false
	}
	for n, into := range []*map[string]any{&header, &claims} {
		content, err := base64.RawURLEncoding.DecodeString(parts[n])
		if err != nil || json.Unmarshal(content, into) != nil {
			return nil, nil, false
		}
	}
	return header, claims, true
}

func (a *Auth) byIssuer(ctx context.Context, i *issuer, header map[string]any, token string) (*Caller, *refusal) {
	if !slices.Contains(i.algorithms, jose.SignatureAlgorithm(text(header["alg"]))) {
		return nil, wrong("token-algorithm")
	}
	verifier := i.verifier.Load()
	if verifier == nil {
		return nil, unavailable("issuer-away")
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return nil, wrong("token-unverified")
	}
	claims := map[string]any{}
	if verified.Claims(&claims) != nil {
		return nil, wrong("token-form")
	}
	if no := checkTimes(verified, claims, a.options.Now()); no != nil {
		return nil, no
	}
	return a.callerOfClaims(i, verified, claims)
}

// checkTimes checks exp, which must be there, and nbf.
func checkTimes(token *oidc.IDToken, claims map[string]any, now time.Time) *refusal {
	if _, ok := claims["exp"].(float64); !ok {
		return wrong("token-without-exp")
	}
	if !now.Before(token.Expiry.Add(leeway)) {
		return wrong("token-expired")
	}
	given, ok := claims["nbf"]
	if !ok {
		return nil
	}
	from, ok := given.(float64)
	if !ok || from > float64(now.Add(leeway).Unix()) {
		return wrong("token-early")
	}
	return nil
}

func (a *Auth) callerOfClaims(i *issuer, token *oidc.IDToken, claims map[string]any) (*Caller, *refusal) {
	role := roleOf(claim(claims, i.config.RoleClaim))
	if role == "" {
		return nil, wrong("token-role")
	}
	id := text(claim(claims, i.config.AgentClaim))
	if !isID(id) {
		if role == interaction.RoleAgent {
			return nil, wrong("token-agent")
		}
		id = ""
	}
	centers, all := grantedCenters(i.config, claim(claims, i.config.ContactCentersClaim))
	if len(centers) == 0 && !all {
		return nil, wrong("token-contact-centers")
	}
	name := "jwt:" + digest(token.Issuer, token.Subject)
	if id == "" {
		id = name // an id that is none of ours must not get into a command
	}
	saved := source{kind: kindJWT, name: i.config.Name, caller: name, user: id, role: role, centers: centers, all: all, expires: token.Expiry}
	return a.callerOfToken(i, saved), nil
}

// callerOfToken returns the caller of a verified token, also one that a cookie was opened with.
func (a *Auth) callerOfToken(i *issuer, s source) *Caller {
	caller := &Caller{Name: s.caller, User: s.user, Role: s.role, ContactCenters: s.centers, All: s.all, Expires: s.expires,
		Rate: defaultRate, origin: s}
	if s.role == interaction.RoleAgent {
		caller.Agent = s.user
	}
	caller.still = func() bool { return slices.Contains(a.current.Load().issuers, i) }
	return caller
}

// rolesByRank are the roles, the one that may most first.
var rolesByRank = []interaction.Role{interaction.RolePlatform, interaction.RoleAdmin, interaction.RoleSupervisor, interaction.RoleAgent}

// roleOf returns the role that a claim gives: of a list, in which issuers put the roles of other
// systems too, the known one that may most.
func roleOf(claim any) interaction.Role {
	given := texts(claim)
	for _, role := range rolesByRank {
		if slices.Contains(given, string(role)) {
			return role
		}
	}
	return ""
}

// grantedCenters returns what a token grants within what the issuer may grant. Without a claim it is
// what the configuration has; a claim grants all only if the configuration does.
func grantedCenters(c config.Issuer, claim any) (centers []string, all bool) {
	limit, isAll := centersOf(c.ContactCenters)
	if claim == nil {
		return limit, isAll
	}
	for _, center := range texts(claim) {
		switch {
		case center == everywhere && isAll:
			return nil, true
		case !isID(center) || slices.Contains(centers, center):
		case isAll || len(c.ContactCenters) == 0 || slices.Contains(limit, center):
			centers = append(centers, center)
		}
	}
	return centers, false
}

// claim returns a claim by its name, else by its path with dots.
func claim(claims map[string]any, path string) any {
	if value, ok := claims[path]; ok {
		return value
	}
	first, rest, nested := strings.Cut(path, ".")
	if inner, ok := claims[first].(map[string]any); nested && ok {
		return claim(inner, rest)
	}
	return nil
}

func text(value any) string {
	t, _ := value.(string)
	return t
}

// texts returns a text, or the texts of a list.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, element := range v[:min(len(v), maxCenters)] {
			if t, ok := element.(string); ok {
				list = append(list, t)
			}
		}
		return list
	default:
		return nil
	}
}

// digest returns a short name for texts that may be personal data.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// within returns what a token granted, less what the issuer may no longer grant.
func (i *issuer) within(centers []string, all bool) ([]string, bool) {
	if all {
		return centersOf(i.config.ContactCenters)
	}
	claimed := make([]any, len(centers))
	for n, center := range centers {
		claimed[n] = center
	}
	return grantedCenters(i.config, claimed)
}
