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
	// maxTokens bounds how many tokens are kept; the one not used for longest goes.
	maxTokens = 1024
	// tokenMargin is how long before its end a token is no longer used, or a tenth
	// of its life when that is less: a request takes time to arrive.
	tokenMargin = 30 * time.Second
	// defaultTokenLife is that of a token whose endpoint does not say.
	defaultTokenLife = time.Hour
	// minTokenLife is how long any token is used, so that an endpoint that gives
	// expired ones is not asked for each request.
	minTokenLife = time.Second
	// failurePause is how long an endpoint that failed is not asked again: behind one
	// request wait a thousand, and each would ask it in its turn.
	failurePause = time.Second
	// rejectionPause is how long a token stays that replaced a refused one and is refused
	// itself: the receiver wants another client, not another token.
	rejectionPause = time.Minute
)

// tokenKey names what one token is good for. A changed secret makes another one: what
// the old one opened is not used any more, and two calls may share an id.
type tokenKey struct {
	url, id, scopes, params string
	secret                  [sha256.Size]byte // a hash
	trust                   TLS
}

// tokens are the access tokens of the process. Each is asked for by one request
// at a time, however many attempts need it, and kept until it ends.
type tokens struct {
	mu     sync.Mutex
	cached map[tokenKey]*cachedToken
}

// cachedToken is one key's token, or why there is none.
type cachedToken struct {
	token       token
	validUntil  time.Time
	replacedAt  time.Time // when it replaced a refused one, if it has not been accepted since
	failure     error
	failedUntil time.Time     // the failure stands until then
	fetching    chan struct{} // closed when the request under way ends; nil: none is
	usedAt      time.Time
}

func newTokens() *tokens { return &tokens{cached: map[tokenKey]*cachedToken{}} }

// get gives the grant's token, and whether it was asked for just now. refused is
// the token that a receiver did not take; it is given again only if it replaced a
// refused one itself, less than refusalPause ago.
func (t *tokens) get(ctx context.Context, g *grant, refused string) (value string, fresh bool, err error) {
	for {
		held, waiting := t.claim(g, refused)
		if waiting == nil {
			if held.failure != nil {
				return "", false, held.failure
			}
			if held.fetching == nil {
				return held.token.value, false, nil
			}
			value, err := t.fetch(ctx, g, held, refused != "")
			return value, true, err
		}
		select {
		case <-waiting:
		case <-ctx.Done():
			return "", false, errors.New("the token URL gave no token in time")
		}
	}
}

// claim gives a copy of what is held for the grant. When nothing of use is, the
// caller has to ask (asking is set) or to wait for the one who does.
func (t *tokens) claim(g *grant, refused string) (_ cachedToken, waiting <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	held := t.cached[g.key()]
	if held != nil && held.fetching != nil {
		return cachedToken{}, held.fetching
	}
	if held == nil {
		t.evictOldest()
		held = &cachedToken{}
		t.cached[g.key()] = held
	}
	held.usedAt = now
	inVain := held.token.value == refused && now.Before(held.replacedAt.Add(rejectionPause))
	switch {
	case held.token.value != "" && (held.token.value != refused || inVain) && now.Before(held.validUntil):
		return cachedToken{token: held.token}, nil
	case held.failure != nil && now.Before(held.failedUntil):
		return cachedToken{failure: held.failure}, nil
	}
	held.fetching = make(chan struct{})
	return cachedToken{token: held.token, fetching: held.fetching}, nil
}

// accepted notes that a receiver took a token.
func (t *tokens) accepted(g *grant, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if held := t.cached[g.key()]; held != nil && held.token.value == value {
		held.replacedAt = time.Time{}
	}
}

// fetch makes the one request and tells those who wait; replaces says that it is for a
// token that was refused.
func (t *tokens) fetch(ctx context.Context, g *grant, claimed cachedToken, replaces bool) (string, error) {
	var got token
	err := errors.New("asking for a token failed by a defect")
	defer func() { // also when it panics: nobody may wait for ever
		t.mu.Lock()
		defer t.mu.Unlock()
		held := t.cached[g.key()]
		held.fetching, held.failure = nil, nil
		now := time.Now()
		switch {
		case err == nil:
			held.token, held.validUntil = got, now.Add(got.lifetime(now))
			if replaces {
				held.replacedAt = now
			}
		case errors.Is(err, context.DeadlineExceeded):
			// This attempt's time was up; another's may be longer.
		default:
			held.failure, held.failedUntil = err, now.Add(failurePause)
		}
		if err != nil {
			held.token.value = ""
		}
		close(claimed.fetching)
	}()
	got, err = g.fetch(ctx, claimed.token.style)
	return got.value, err
}

// lifetime is how long the token is used from now on.
func (k token) lifetime(now time.Time) time.Duration {
	life := defaultTokenLife
	if !k.expires.IsZero() {
		life = k.expires.Sub(now)
		life -= min(tokenMargin, life/10)
	}
	return max(life, minTokenLife)
}

// evictOldest forgets the token that was not used for longest, if there are too many.
func (t *tokens) evictOldest() {
	if len(t.cached) < maxTokens {
		return
	}
	var oldest tokenKey
	var since time.Time
	for key, held := range t.cached {
		if held.fetching == nil && (since.IsZero() || held.usedAt.Before(since)) {
			oldest, since = key, held.usedAt
		}
	}
	delete(t.cached, oldest)
}

func (g *grant) key() tokenKey {
	return tokenKey{g.url, g.id, strings.Join(g.scopes, " "), g.params.Encode(), sha256.Sum256([]byte(g.secret)), g.trust}
}
