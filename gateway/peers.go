package gateway

import (
	"sync"

	"segue/gateway/auth"
	"segue/gateway/cometd"
)

// peer is what the gateway keeps of a session of CometD.
type peer struct {
	caller *auth.Caller
	// key identifies the caller's later requests; empty if the handshake itself had the credential.
	key     string
	renew   func(*auth.Caller)
	release func()
}

type peerKey struct{}

// peerOf returns what the gateway keeps of a peer that it has let in.
func peerOf(p *cometd.Peer) *peer { return p.Context.Value(peerKey{}).(*peer) }

// peers are those of the open sessions, by key. The zero value has none.
type peers struct {
	mutex sync.Mutex
	byKey map[string]map[*peer]struct{}
}

func (p *peers) add(added *peer) {
	if added.key == "" {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.byKey == nil {
		p.byKey = map[string]map[*peer]struct{}{}
	}
	if p.byKey[added.key] == nil {
		p.byKey[added.key] = map[*peer]struct{}{}
	}
	p.byKey[added.key][added] = struct{}{}
}

func (p *peers) remove(gone *peer) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	delete(p.byKey[gone.key], gone)
	if len(p.byKey[gone.key]) == 0 {
		delete(p.byKey, gone.key)
	}
}

// renew lets the sessions of a key last as long as a credential that a later request shows: tokens are
// renewed while a session is open.
func (p *peers) renew(key string, caller *auth.Caller) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for open := range p.byKey[key] {
		open.renew(caller.ForStream())
	}
}
