package delivery

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"time"
)

const (
	// maxTokens bounds how many tokens are cached; the least recently used one is evicted.
	maxTokens = 1024
	// tokenMargin is how long before its expiry a token is no longer used, or a tenth of
	// its lifetime if that is less: a request takes time to arrive.
	tokenMargin = 30 * time.Second
	// defaultTokenLife is the lifetime of a token whose endpoint does not say.
	defaultTokenLife = time.Hour
	// minTokenLife is how long any token is used, so that an endpoint that returns expired
	// ones is not asked for each request.
	minTokenLife = time.Second
	// failurePause is how long an endpoint that failed is not asked again: a thousand
	// attempts may wait behind one request, and each would ask it after the other.
	failurePause = time.Second
	// rejectionPause is how long a token stays that replaced a rejected one and is rejected
	// itself: the receiver rejects the client, not the token.
	rejectionPause = time.Minute
)

// tokenKey identifies a token. A changed secret is another key: a token that the old secret
// got is not used any more. Two calls may have the same client id and different secrets.
type tokenKey struct {
	url, id, scopes, params string
	secret                  [sha256.Size]byte // a hash
	trust                   TLS
}

// tokens caches the access tokens of the process. One request at a time fetches a token,
// however many attempts need it, and it is used until it expires.
type tokens struct {
	mu     sync.Mutex
	cached map[tokenKey]*cachedToken
}

// cachedToken is the token of one key, or the failure to get one.
type cachedToken struct {
	token       token
	validUntil  time.Time
	replacedAt  time.Time // when it replaced a rejected one; zero once a receiver accepts it
	failure     error
	failedUntil time.Time     // the failure is returned until then
	fetching    chan struct{} // closed when the fetch in flight ends; nil: there is none
	usedAt      time.Time
}

func newTokens() *tokens { return &tokens{cached: map[tokenKey]*cachedToken{}} }

// get returns the grant's token, and whether it was fetched just now. rejected is the token
// that a receiver rejected, "" for none; get returns it again only if it replaced a
// rejected one itself, less than rejectionPause ago.
func (t *tokens) get(ctx context.Context, g *grant, rejected string) (value string, fresh bool, err error) {
	for {
		cached, waiting := t.claim(g, rejected)
		if waiting == nil {
			if cached.failure != nil {
				return "", false, cached.failure
			}
			if cached.fetching == nil {
				return cached.token.value, false, nil
			}
			value, err := t.fetch(ctx, g, cached, rejected != "")
			return value, true, err
		}
		select {
		case <-waiting:
		case <-ctx.Done():
			return "", false, errors.New("the token URL returned no token in time")
		}
	}
}

// claim returns a copy of the grant's cached token. If that is of no use, the caller has to
// fetch one (fetching is set) or to wait for the caller that does.
func (t *tokens) claim(g *grant, rejected string) (_ cachedToken, waiting <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	cached := t.cached[g.key()]
	if cached != nil && cached.fetching != nil {
		return cachedToken{}, cached.fetching
	}
	if cached == nil {
		t.evictOldest()
		cached = &cachedToken{}
		t.cached[g.key()] = cached
	}
	cached.usedAt = now
	// Another token would be rejected, too: the rejected one is a replacement itself.
	isNewReplacement := cached.token.value == rejected && now.Before(cached.replacedAt.Add(rejectionPause))
	switch {
	case cached.token.value != "" && (cached.token.value != rejected || isNewReplacement) && now.Before(cached.validUntil):
		return cachedToken{token: cached.token}, nil
	case cached.failure != nil && now.Before(cached.failedUntil):
		return cachedToken{failure: cached.failure}, nil
	}
	cached.fetching = make(chan struct{})
	return cachedToken{token: cached.token, fetching: cached.fetching}, nil
}

// accepted records that a receiver accepted a token.
func (t *tokens) accepted(g *grant, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cached := t.cached[g.key()]; cached != nil && cached.token.value == value {
		cached.replacedAt = time.Time{}
	}
}

// fetch makes the one request for a token and wakes those who wait for it. replaces says
// that a receiver rejected the token before.
func (t *tokens) fetch(ctx context.Context, g *grant, claimed cachedToken, replaces bool) (string, error) {
	var got token
	err := errors.New("fetching a token failed because of a defect in Segue")
	defer func() { // also after a panic: no attempt may wait forever
		t.mu.Lock()
		defer t.mu.Unlock()
		cached := t.cached[g.key()]
		cached.fetching, cached.failure = nil, nil
		now := time.Now()
		switch {
		case err == nil:
			cached.token, cached.validUntil = got, now.Add(got.lifetime(now))
			if replaces {
				cached.replacedAt = now
			}
		case errors.Is(err, context.DeadlineExceeded):
			// The deadline was that of this attempt; another attempt may have more time.
		default:
			cached.failure, cached.failedUntil = err, now.Add(failurePause)
		}
		if err != nil {
			cached.token.value = ""
		}
		close(claimed.fetching)
	}()
	got, err = g.fetch(ctx, claimed.token.style)
	return got.value, err
}

// lifetime returns for how long the token is used from now on.
func (k token) lifetime(now time.Time) time.Duration {
	life := defaultTokenLife
	if !k.expires.IsZero() {
		life = k.expires.Sub(now)
		life -= min(tokenMargin, life/10)
	}
	return max(life, minTokenLife)
}

// evictOldest evicts the least recently used token if the cache is full.
func (t *tokens) evictOldest() {
	if len(t.cached) < maxTokens {
		return
	}
	var oldest tokenKey
	var since time.Time
	for key, cached := range t.cached {
		if cached.fetching == nil && (since.IsZero() || cached.usedAt.Before(since)) {
			oldest, since = key, cached.usedAt
		}
	}
	delete(t.cached, oldest)
}

func (g *grant) key() tokenKey {
	return tokenKey{g.url, g.id, strings.Join(g.scopes, " "), g.params.Encode(), sha256.Sum256([]byte(g.secret)), g.trust}
}
