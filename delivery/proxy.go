package delivery

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"segue/contract"
)

// maxProxyAnswer bounds a proxy's answer to CONNECT, in bytes.
const maxProxyAnswer = 64 << 10

// Proxy is an HTTP proxy that receivers on public addresses are reached through.
// The zero value is none: the variables that other programs read, such as
// HTTPS_PROXY, are not.
type Proxy struct {
	// URL is http://host:port.
	URL string
	// Username and Password are for basic authentication; both or none.
	Username, Password SecretRef
}

// proxy is a configured proxy. It is told addresses that the guard has judged and
// no names, which it might resolve to others.
type proxy struct {
	address string
	guard   *Guard // lets the proxy itself through, and nothing beside
	Proxy
}

// Through gives the same guard with a proxy: receivers on public addresses are
// reached through it by CONNECT, whatever their scheme. What the allow-list names
// is inside and dialled directly.
func (g *Guard) Through(p Proxy) (*Guard, error) {
	with := *g
	with.proxy = nil
	if p == (Proxy{}) {
		return &with, nil
	}
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Port() == "" || u.User != nil || u.Path+u.RawQuery+u.Fragment != "":
		return nil, errors.New("guard.proxy: the URL of a proxy is http://host:port")
	case (p.Username == "") != (p.Password == ""):
		return nil, errors.New("guard.proxy: username and password go together")
	}
	hop, err := NewGuard([]string{u.Host})
	if err != nil {
		return nil, fmt.Errorf("guard.proxy: the URL of a proxy is http://host:port: %w", err)
	}
	with.proxy = &proxy{address: u.Host, guard: hop, Proxy: p}
	return &with, nil
}

// proxyError is a connection that the proxy did not give.
type proxyError struct {
	class   Class
	message string
}

func (e *proxyError) Error() string { return e.message }

// tunnel is a connection to the target through the proxy.
func (d *dialer) tunnel(ctx context.Context, p *proxy, target netip.AddrPort) (net.Conn, error) {
	host, hops, err := d.targets(ctx, p.guard, p.address)
	if err != nil {
		return nil, proxyUnreachable(ctx, err)
	}
	conn, err := race(ctx, hops, func(ctx context.Context, hop netip.AddrPort) (net.Conn, error) {
		return d.connect(ctx, p.guard, host, hop)
	})
	if err != nil {
		return nil, proxyUnreachable(ctx, err)
	}
	// CONNECT does not know of contexts: its reading and writing is woken by hand.
	awake := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = p.open(conn, target)
	if !awake() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// open asks the proxy for the way to the target.
func (p *proxy) open(conn net.Conn, target netip.AddrPort) error {
	header := http.Header{"User-Agent": {contract.UserAgent}}
	if p.Username != "" {
		username, err := p.Username.resolve()
		if err != nil {
			return &proxyError{ClassAuth, "guard.proxy.username: " + err.Error()}
		}
		password, err := p.Password.resolve()
		if err != nil {
			return &proxyError{ClassAuth, "guard.proxy.password: " + err.Error()}
		}
		header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(username+":"+password)))
	}
	ask := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target.String()}, Host: target.String(), Header: header}
	if err := ask.Write(conn); err != nil {
		return &proxyError{ClassNetwork, "the proxy broke off"}
	}
	answer := bufio.NewReader(io.LimitReader(conn, maxProxyAnswer))
	resp, err := http.ReadResponse(answer, ask)
	switch {
	case err != nil:
		return &proxyError{ClassNetwork, "the proxy broke off or does not answer in HTTP"}
	case resp.StatusCode == http.StatusProxyAuthRequired:
		return &proxyError{ClassAuth, "the proxy does not accept guard.proxy.username and password: HTTP 407"}
	case resp.StatusCode/100 != 2:
		return &proxyError{ClassNetwork, "the proxy gives no way to the receiver: " + statusLine(ClassUnexpected, resp.StatusCode)}
	case answer.Buffered() > 0:
		return &proxyError{ClassNetwork, "the proxy spoke before the receiver was asked"}
	}
	return nil
}

// proxyUnreachable is a failure on the way to the proxy, in the words of any other.
func proxyUnreachable(ctx context.Context, err error) error {
	_, words := classOfError(ctx, err, 0)
	return &proxyError{ClassNetwork, "the proxy cannot be reached: " + words}
}
