package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"reflect"
	"time"

	"segue/config"
	"segue/interaction"
)

// key is a configured API key. The key itself is nowhere.
type key struct {
	config config.APIKey
	digest [sha256.Size]byte
}

// keyOf returns the key with a digest; nil if there is none. It looks at all keys, each in constant
// time, so that the time of an answer says nothing about a key.
func (s *state) keyOf(digest [sha256.Size]byte) *key {
	var found *key
	for _, k := range s.keys {
		if subtle.ConstantTimeCompare(k.digest[:], digest[:]) == 1 {
			found = k
		}
	}
	return found
}

func (s *state) keyNamed(name string) *key {
	for _, k := range s.keys {
		if k.config.Name == name {
			return k
		}
	}
	return nil
}

func (a *Auth) byKey(s *state, token string) (*Caller, *refusal) {
	k := s.keyOf(sha256.Sum256([]byte(token)))
	if k == nil {
		return nil, wrong("key-unknown")
	}
	return a.callerOfKey(k)
}

func (a *Auth) callerOfKey(k *key) (*Caller, *refusal) {
	if !k.countsAt(a.options.Now()) {
		return nil, wrong("key-expired")
	}
	caller := &Caller{Name: "key:" + k.config.Name, User: k.config.Name, Role: k.config.Role, Expires: k.config.Expires,
		Rate: k.config.Rate, origin: source{kind: kindKey, name: k.config.Name}}
	if k.config.Role == interaction.RoleAgent {
		caller.Agent, caller.User = k.config.Agent, k.config.Agent
	}
	if caller.Rate <= 0 {
		caller.Rate = defaultRate
	}
	caller.ContactCenters, caller.All = centersOf(k.config.ContactCenters)
	caller.still = func() bool {
		now := a.current.Load().keyNamed(k.config.Name)
		return now != nil && now.sameGrant(k)
	}
	return caller, nil
}

func (k *key) countsAt(now time.Time) bool {
	return k.config.Expires.IsZero() || now.Before(k.config.Expires)
}

// sameGrant reports whether two configurations of a key grant the same. What was opened with another
// grant must end.
func (k *key) sameGrant(other *key) bool {
	mine, theirs := k.config, other.config
	mine.Rate, theirs.Rate = 0, 0
	return reflect.DeepEqual(mine, theirs)
}
