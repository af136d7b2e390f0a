package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"reflect"
	"runtime"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/singleflight"

	"segue/config"
	"segue/delivery"
	"segue/interaction"
)

// How long a verified password counts without another bcrypt, how long a resolved secret is used
// before it is read again, how many verified ones are kept, and how long a request waits for bcrypt.
const (
	verifiedFor  = 5 * time.Minute
	resolvedFor  = 10 * time.Second
	maxVerified  = 10_000
	waitForCheck = 2 * time.Second
	// maxBcrypt is what bcrypt reads of a password; it ignores the rest.
	maxBcrypt = 72
)

// user is a configured user.
type user struct{ config config.User }

// passwords checks passwords. bcrypt is slow on purpose: few checks run at once, and a verified
// password is remembered for a while, as a keyed hash.
type passwords struct {
	options Options
	secret  []byte
	slots   chan struct{}
	flight  singleflight.Group

	mutex    sync.Mutex
	verified map[[sha256.Size]byte]time.Time
	resolved map[delivery.SecretRef]resolved
}

type resolved struct {
	value string
	until time.Time
}

func newPasswords(options Options) *passwords {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails
	return &passwords{options: options, secret: secret, slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		verified: map[[sha256.Size]byte]time.Time{}, resolved: map[delivery.SecretRef]resolved{}}
}

// forget makes every password be read and verified again.
func (p *passwords) forget() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	clear(p.verified)
	clear(p.resolved)
}

// resolve reads a secret, at most once each few seconds.
func (p *passwords) resolve(ref delivery.SecretRef) (string, error) {
	now := p.options.Now()
	p.mutex.Lock()
	known, ok := p.resolved[ref]
	p.mutex.Unlock()
	if ok && now.Before(known.until) {
		return known.value, nil
	}
	value, err := p.options.Resolve(ref)
	if err != nil {
		return "", err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.resolved[ref] = resolved{value: value, until: now.Add(resolvedFor)}
	return value, nil
}

// material is what a user's password is checked with. It changes with the password.
func (p *passwords) material(u *user) (string, error) {
	if u.config.PasswordHash != "" {
		return u.config.PasswordHash, nil
	}
	return p.resolve(u.config.Password)
}

var errBusy = errors.New("too many passwords are being checked")

// check reports whether the password is right. A password that was verified lately counts at once;
// before any other, throttle is asked, so that guessing is slow. Without a user the password is compared
// with a decoy, so that an unknown name takes as long as a known one.
func (p *passwords) check(ctx context.Context, u *user, decoy, password string, throttle func() time.Duration) *refusal {
	name, material := "", decoy
	if u != nil {
		var err error
		if material, err = p.material(u); err != nil {
			p.options.Log.Error("A password cannot be read", "user", u.config.Name, "error", err)
			return wrong("password-unreadable")
		}
		name = u.config.Name
	}
	mark := p.mark(name, material, password)
	if p.isVerified(mark) {
		return nil
	}
	if wait := throttle(); wait > 0 {
		return throttled(wait)
	}
	if no := p.compare(ctx, u, material, password, mark); no != nil {
		return no
	}
	p.remember(mark)
	return nil
}

func (p *passwords) compare(ctx context.Context, u *user, material, password string, mark [sha256.Size]byte) *refusal {
	if u != nil && u.config.PasswordHash == "" {
		given, right := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(material))
		if subtle.ConstantTimeCompare(given[:], right[:]) != 1 {
			return wrong("password")
		}
		return nil
	}
	err := p.bcrypt(ctx, mark, []byte(material), password)
	if errors.Is(err, errBusy) {
		return unavailable("bcrypt-busy")
	}
	if err != nil || u == nil {
		return wrong("password")
	}
	return nil
}

// bcrypt compares in one of few slots. Equal checks at the same time are one.
func (p *passwords) bcrypt(ctx context.Context, mark [sha256.Size]byte, hash []byte, password string) error {
	if len(password) > maxBcrypt {
		return bcrypt.ErrPasswordTooLong
	}
	done := p.flight.DoChan(string(mark[:]), func() (any, error) {
		wait := time.NewTimer(waitForCheck)
		defer wait.Stop()
		select {
		case p.slots <- struct{}{}:
		case <-wait.C:
			return nil, errBusy
		}
		defer func() { <-p.slots }()
		return nil, bcrypt.CompareHashAndPassword(hash, []byte(password))
	})
	select {
	case result := <-done:
		return result.Err
	case <-ctx.Done():
		return errBusy
	}
}

func (p *passwords) mark(name, hash, password string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, p.secret)
	for _, part := range []string{name, hash, password} {
		sum := sha256.Sum256([]byte(part))
		mac.Write(sum[:])
	}
	return [sha256.Size]byte(mac.Sum(nil))
}

func (p *passwords) isVerified(mark [sha256.Size]byte) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	until, ok := p.verified[mark]
	return ok && p.options.Now().Before(until)
}

func (p *passwords) remember(mark [sha256.Size]byte) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(p.verified) >= maxVerified {
		clear(p.verified) // they are verified again, which costs time alone
	}
	p.verified[mark] = p.options.Now().Add(verifiedFor)
}

func (a *Auth) byPassword(ctx context.Context, s *state, name, password string, throttle func() time.Duration) (*Caller, *refusal) {
	u := s.users[name]
	if u == nil && s.decoy == "" {
		// No known name takes long either.
		if wait := throttle(); wait > 0 {
			return nil, throttled(wait)
		}
		return nil, wrong("password")
	}
	if no := a.passwords.check(ctx, u, s.decoy, password, throttle); no != nil {
		return nil, no
	}
	return a.callerOfUser(u)
}

func (a *Auth) callerOfUser(u *user) (*Caller, *refusal) {
	material, err := a.passwords.material(u)
	if err != nil {
		a.options.Log.Error("A password cannot be read", "user", u.config.Name, "error", err)
		return nil, wrong("password-unreadable")
	}
	caller := &Caller{Name: "user:" + u.config.Name, User: u.config.Name, Role: u.config.Role, Rate: defaultRate,
		origin: source{kind: kindBasic, name: u.config.Name}}
	if u.config.Role == interaction.RoleAgent {
		caller.Agent, caller.User = u.config.Agent, u.config.Agent
	}
	caller.ContactCenters, caller.All = centersOf(u.config.ContactCenters)
	caller.still = func() bool {
		now := a.current.Load().users[u.config.Name]
		if now == nil || !reflect.DeepEqual(now.config, u.config) {
			return false
		}
		same, err := a.passwords.material(now)
		// A secret that cannot be read for the moment ends no stream: a rotation may be in progress.
		return err != nil || subtle.ConstantTimeCompare([]byte(same), []byte(material)) == 1
	}
	return caller, nil
}
