package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// maxTokenResponse bounds a token endpoint's response, in bytes after decompression.
const maxTokenResponse = 64 << 10

// grant is a client credentials grant with its references resolved. It lives for one
// attempt and is never cached: the next attempt reads the secret again.
type grant struct {
	url, id, secret string
	scopes          []string
	params          url.Values
	trust           TLS
	transport       http.RoundTripper
}

// newGrant resolves a grant but for its transport.
func newGrant(a OAuth2Auth, used *secrets) (*grant, error) {
	target, err := parseURL(a.TokenURL)
	if err != nil {
		return nil, fmt.Errorf("oauth2.token_url: %w; write https://host/path", err)
	}
	id, err := used.resolveName(a.ClientID)
	if err != nil {
		return nil, fmt.Errorf("oauth2.client_id: %w", err)
	}
	secret, err := used.resolve(a.ClientSecret)
	if err != nil {
		return nil, fmt.Errorf("oauth2.client_secret: %w", err)
	}
	// OAuth escapes id and secret before basic authentication encodes them.
	used.add(url.QueryEscape(secret))
	used.addBasic(url.QueryEscape(id), url.QueryEscape(secret))
	g := &grant{url: target.String(), id: id, secret: secret, scopes: a.Scopes, params: url.Values{}, trust: a.TLS}
	for _, p := range a.Params {
		g.params.Add(p.Name, p.Value)
	}
	return g, nil
}

func (g *grant) scheme() string {
	scheme, _, _ := strings.Cut(g.url, ":")
	return scheme
}

// token is an access token, and how the endpoint wants the client to authenticate.
type token struct {
	value   string
	expires time.Time // zero: the endpoint does not say
	style   oauth2.AuthStyle
}

// fetch requests a token from the endpoint. If the endpoint rejects the credentials in the
// header, where the standard wants them, fetch tries again with them in the form, where
// some endpoints want them. Errors repeat nothing of the response, which may contain the
// secret.
func (g *grant) fetch(ctx context.Context, style oauth2.AuthStyle) (token, error) {
	if style == oauth2.AuthStyleAutoDetect {
		style = oauth2.AuthStyleInHeader
	}
	t, err := g.request(ctx, style)
	var refused *oauth2.RetrieveError
	if style == oauth2.AuthStyleInHeader && errors.As(err, &refused) && slices.Contains([]int{400, 401}, refused.Response.StatusCode) {
		style = oauth2.AuthStyleInParams
		t, err = g.request(ctx, style)
	}
	switch {
	case err != nil:
		return token{}, tokenFailure(ctx, err)
	case !strings.EqualFold(t.Type(), "Bearer"):
		return token{}, errors.New("the token URL returned a token whose type is not Bearer")
	case !isFieldValue(t.AccessToken):
		return token{}, errors.New("the token URL returned a token with characters that a header cannot contain")
	}
	return token{value: t.AccessToken, expires: t.Expiry, style: style}, nil
}

func (g *grant) request(ctx context.Context, style oauth2.AuthStyle) (*oauth2.Token, error) {
	config := clientcredentials.Config{ClientID: g.id, ClientSecret: g.secret, TokenURL: g.url, Scopes: g.scopes,
		EndpointParams: g.params, AuthStyle: style}
	client := &http.Client{
		Transport: tokenTransport{g.transport},
		// A redirect would send the secret to a URL that is not configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
}

// oauthErrors are the error codes of RFC 6749. A message may repeat them: they say what is
// wrong and contain no secret.
var oauthErrors = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}

func tokenFailure(ctx context.Context, err error) error {
	var refused *oauth2.RetrieveError
	var sending *url.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("the token URL returned no token in time: %w", ctx.Err())
	case errors.As(err, &refused):
		message := statusLine(tokenStatusClass(refused.Response.StatusCode), refused.Response.StatusCode)
		if slices.Contains(oauthErrors, refused.ErrorCode) {
			message += ", " + refused.ErrorCode
		}
		return errors.New("the token URL returned no token: " + message)
	case errors.As(err, &sending):
		_, message := classOfError(ctx, err, 0)
		return errors.New("the token URL cannot be reached: " + message)
	}
	return errors.New("the response of the token URL contains no token that can be read")
}

func tokenStatusClass(code int) Class {
	if code >= 300 && code < 400 {
		return ClassRedirect
	}
	return ClassUnexpected
}
