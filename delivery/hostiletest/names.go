package hostiletest

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Names is a name server on this machine whose answers a test decides, each time again: no
// answer may be cached. It ends with the test.
type Names struct {
	conn    net.PacketConn
	answers func(name string, n int) Answer
	serving sync.WaitGroup

	mu    sync.Mutex
	asked map[string]int
	owed  []owed
}

// owed is an answer that a silent server gives when it ends, so that no resolver waits for it
// any longer.
type owed struct {
	packet []byte
	to     net.Addr
}

// Answer is what a name resolves to. The zero value is a name that does not exist.
type Answer struct {
	// Addresses are the answers to questions for their family.
	Addresses []string
	// Alias is another name, whose addresses are in the same answer.
	Alias string
	// Fails makes the server fail.
	Fails bool
	// Silent makes the server not answer.
	Silent bool
}

// ServeNames starts a name server. answers gets a name, in lower case and without the last
// dot, and how many questions of one type there have been for it, including this one: every
// resolution asks once for IPv4 and once for IPv6.
func ServeNames(t testing.TB, answers func(name string, n int) Answer) *Names {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening on a free UDP port of 127.0.0.1: %v", err)
	}
	s := &Names{conn: conn, answers: answers, asked: map[string]int{}}
	s.serving.Go(s.serve)
	t.Cleanup(s.close)
	return s
}

func (s *Names) close() {
	s.mu.Lock()
	for _, o := range s.owed {
		_, _ = s.conn.WriteTo(o.packet, o.to)
	}
	s.mu.Unlock()
	s.conn.Close()
	s.serving.Wait()
}

// Resolver returns a resolver that asks only this server.
func (s *Names) Resolver() *net.Resolver {
	address := s.conn.LocalAddr().String()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", address)
	}}
}

// Asked returns how many times a name was resolved.
func (s *Names) Asked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.asked[dnsmessage.TypeA.String()+name], s.asked[dnsmessage.TypeAAAA.String()+name])
}

func (s *Names) serve() {
	buffer := make([]byte, 4096)
	for {
		n, from, err := s.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var question dnsmessage.Message
		if question.Unpack(buffer[:n]) != nil || len(question.Questions) != 1 {
			continue
		}
		packet, silent := s.answer(&question)
		if silent {
			s.mu.Lock()
			s.owed = append(s.owed, owed{packet, from})
			s.mu.Unlock()
			continue
		}
		_, _ = s.conn.WriteTo(packet, from)
	}
}

// answer returns the packet that answers a question, and whether to send it only at the end.
func (s *Names) answer(asked *dnsmessage.Message) (packet []byte, silent bool) {
	question := asked.Questions[0]
	answer := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: asked.ID, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: asked.Questions,
	}
	for name := question.Name; ; {
		a := s.next(name, question.Type)
		silent = silent || a.Silent
		switch {
		case a.Fails:
			answer.RCode = dnsmessage.RCodeServerFailure
		case a.Alias == "" && len(a.Addresses) == 0:
			answer.RCode = dnsmessage.RCodeNameError
		}
		for _, text := range a.Addresses {
			if body := record(netip.MustParseAddr(text), question.Type); body != nil {
				answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header(name), Body: body})
			}
		}
		if a.Alias == "" || len(answer.Answers) > 8 {
			break
		}
		alias := dnsmessage.MustNewName(a.Alias + ".")
		answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header(name), Body: &dnsmessage.CNAMEResource{CNAME: alias}})
		name = alias
	}
	packet, err := answer.Pack()
	return packet, silent || err != nil
}

func (s *Names) next(name dnsmessage.Name, kind dnsmessage.Type) Answer {
	text := strings.ToLower(strings.TrimSuffix(name.String(), "."))
	s.mu.Lock()
	s.asked[kind.String()+text]++
	n := s.asked[kind.String()+text]
	s.mu.Unlock()
	return s.answers(text, n)
}

func header(name dnsmessage.Name) dnsmessage.ResourceHeader {
	return dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 0}
}

// record returns an address as the answer to a question of one type; nil if it is of the
// other family.
func record(addr netip.Addr, kind dnsmessage.Type) dnsmessage.ResourceBody {
	switch {
	case kind == dnsmessage.TypeA && addr.Is4():
		return &dnsmessage.AResource{A: addr.As4()}
	case kind == dnsmessage.TypeAAAA && addr.Is6():
		return &dnsmessage.AAAAResource{AAAA: addr.As16()}
	}
	return nil
}
