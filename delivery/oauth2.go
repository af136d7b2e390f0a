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

// maxTokenResponse bounds what is read of a token endpoint's answer, in bytes
// after decompression.
const maxTokenResponse = 64 << 10

// grant is a client's right to a token, with its references resolved. It lives
// for one attempt and is never kept: the next attempt reads the secret again.
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
	// In the header of basic authentication it is escaped before it is encoded.
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

// token is what an endpoint gave, and how it wanted to be asked.
type token struct {
	value   string
	expires time.Time // zero: not said
	style   oauth2.AuthStyle
}

// fetch asks the endpoint for a token. An endpoint that refuses the client in the
// header, where the standard wants it, is asked once more with it in the form,
// where some want it. Errors repeat nothing of the answer: it may hold the secret.
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
		return token{}, errors.New("the token URL gave a token that is not of the type bearer")
	case !isFieldValue(t.AccessToken):
		return token{}, errors.New("the token URL gave a token that fits in no header")
	}
	return token{value: t.AccessToken, expires: t.Expiry, style: style}, nil
}

func (g *grant) request(ctx context.Context, style oauth2.AuthStyle) (*oauth2.Token, error) {
	config := clientcredentials.Config{ClientID: g.id, ClientSecret: g.secret, TokenURL: g.url, Scopes: g.scopes,
		EndpointParams: g.params, AuthStyle: style}
	client := &http.Client{
		Transport: tokenTransport{g.transport},
		// A redirect would carry the secret to where nobody configured it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
}

// oauthErrors are the error codes of RFC 6749, which may be repeated: they say
// what to mend and nothing else.
var oauthErrors = []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}

func tokenFailure(ctx context.Context, err error) error {
	var refused *oauth2.RetrieveError
	var sending *url.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("the token URL gave no token in time: %w", ctx.Err())
	case errors.As(err, &refused):
		words := statusLine(tokenStatusClass(refused.Response.StatusCode), refused.Response.StatusCode)
		if slices.Contains(oauthErrors, refused.ErrorCode) {
			words += ", " + refused.ErrorCode
		}
		return errors.New("the token URL gave no token: " + words)
	case errors.As(err, &sending):
		_, words := classOfError(ctx, err, 0)
		return errors.New("the token URL cannot be reached: " + words)
	}
	return errors.New("the token URL's answer holds no token that can be read")
}

func tokenStatusClass(code int) Class {
	if code >= 300 && code < 400 {
		return ClassRedirect
	}
	return ClassUnexpected
}
