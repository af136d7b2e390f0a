package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// staleAfter is when the keys of an issuer are fetched again although all is known, so that a key that
// the issuer took away no longer counts.
const staleAfter = 10 * time.Minute

// maxKeys bounds the keys of an issuer.
const maxKeys = 100

// keySet has the keys of an issuer. Unlike go-oidc's it asks the issuer at most once each few seconds,
// whatever tokens come, and keeps the keys while the issuer is away.
type keySet struct {
	issuer  *issuer
	url     string
	now     func() time.Time
	every   time.Duration
	log     *slog.Logger
	running *sync.WaitGroup

	mutex   sync.Mutex
	keys    []jose.JSONWebKey
	fetched time.Time     // when the keys came
	asked   time.Time     // when the issuer was asked last
	flight  chan struct{} // closed when the request in flight has ended; nil without one
}

var errNoKey = errors.New("no key of the issuer fits")

// VerifySignature returns the payload of a token that the issuer has signed.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, k.issuer.algorithms)
	if err != nil {
		return nil, err
	}
	id := signed.Signatures[0].Header.KeyID
	keys, flight := k.known(id)
	if payload, ok := verifyWith(keys, signed); ok {
		return payload, nil
	}
	if flight == nil {
		return nil, errNoKey
	}
	select {
	case <-flight:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	keys, _ = k.known(id)
	if payload, ok := verifyWith(keys, signed); ok {
		return payload, nil
	}
	return nil, errNoKey
}

func verifyWith(keys []jose.JSONWebKey, signed *jose.JSONWebSignature) ([]byte, bool) {
	for _, key := range keys {
		if algorithm := signed.Signatures[0].Header.Algorithm; key.Algorithm != "" && key.Algorithm != algorithm {
			continue
		}
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// known returns the keys with an id, or all for a token that names none. If there are none, or the
// keys are old, it starts a request to the issuer unless the last one is too recent; the caller waits
// for flight only if its key is unknown.
func (k *keySet) known(id string) (keys []jose.JSONWebKey, flight <-chan struct{}) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for _, key := range k.keys {
		if id == "" || key.KeyID == id {
			keys = append(keys, key)
		}
	}
	now := k.now()
	isWanted := len(keys) == 0 || now.Sub(k.fetched) >= staleAfter
	if isWanted && k.flight == nil && now.Sub(k.asked) >= k.every && k.issuer.context.Err() == nil {
		k.asked = now
		k.flight = make(chan struct{})
		k.running.Go(k.refresh)
	}
	if len(keys) == 0 && k.flight != nil {
		return nil, k.flight
	}
	return keys, nil
}

func (k *keySet) refresh() {
	err := k.fetch()
	if err != nil {
		k.log.Warn("The keys of an issuer cannot be fetched; those known before still count", "issuer", k.issuer.config.Name, "error", short(err))
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	close(k.flight)
	k.flight = nil
}

// fetch asks the issuer for its keys.
func (k *keySet) fetch() error {
	request, err := http.NewRequestWithContext(k.issuer.context, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	response, err := k.issuer.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("keys: %s", response.Status)
	}
	// A key of a kind that we do not know must not hide the others.
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	keys := usable(set.Keys)
	if len(keys) == 0 {
		return errors.New("keys: none is usable")
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	now := k.now()
	k.keys, k.fetched, k.asked = keys, now, now
	return nil
}

// usable returns the public keys for signatures.
func usable(raw []json.RawMessage) []jose.JSONWebKey {
	var keys []jose.JSONWebKey
	for _, text := range raw[:min(len(raw), maxKeys)] {
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) == nil && key.Valid() && key.IsPublic() && (key.Use == "" || key.Use == "sig") {
			keys = append(keys, key)
		}
	}
	return keys
}
