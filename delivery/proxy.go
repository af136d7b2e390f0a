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

// maxProxyResponse bounds a proxy's response to CONNECT, in bytes.
const maxProxyResponse = 64 << 10

// Proxy is an HTTP proxy for receivers on public addresses. The zero value is no proxy:
// Segue ignores the environment variables that other programs read, such as HTTPS_PROXY.
type Proxy struct {
	// URL is http://host:port.
	URL string
	// Username and Password are for basic authentication; set both or neither.
	Username, Password SecretRef
}

// proxy is a configured proxy. It gets addresses that the guard has checked, never names,
// which it might resolve to other addresses.
type proxy struct {
	address string
	guard   *Guard // lets the proxy itself through, and nothing else
	Proxy
}

// Through returns the same guard with a proxy. Receivers on public addresses are reached
// through it by CONNECT, whatever their scheme is; those that guard.allow lists are inside
// and are dialled directly. Through reports an error for a malformed proxy.
func (g *Guard) Through(p Proxy) (*Guard, error) {
	with := *g
	with.proxy = nil
	if p == (Proxy{}) {
		return &with, nil
	}
	u, err := url.Parse(p.URL)
	switch {
	case err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Port() == "" || u.User != nil || u.Path+u.RawQuery+u.Fragment != "":
		return nil, errors.New("guard.proxy.url: write http://host:port")
	case (p.Username == "") != (p.Password == ""):
		return nil, errors.New("guard.proxy: set both username and password, or neither")
	}
	hop, err := NewGuard([]string{u.Host})
	if err != nil {
		return nil, fmt.Errorf("guard.proxy.url: write http://host:port: %w", err)
	}
	with.proxy = &proxy{address: u.Host, guard: hop, Proxy: p}
	return &with, nil
}

// proxyError is the error of a connection that the proxy did not open.
type proxyError struct {
	class   Class
	message string
	cause   error // nil if the proxy has answered
}

func (e *proxyError) Error() string { return e.message }

// Unwrap returns the cause, which tells a proxy that broke off from the end of the attempt's time.
func (e *proxyError) Unwrap() error { return e.cause }

// tunnel connects to the target through the proxy.
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
	// Reading and writing know no context: a deadline in the past ends them.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = p.open(conn, target)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// open asks the proxy to connect to the target.
func (p *proxy) open(conn net.Conn, target netip.AddrPort) error {
	header := http.Header{"User-Agent": {contract.UserAgent}}
	if p.Username != "" {
		username, err := p.Username.resolve()
		if err != nil {
			return &proxyError{class: ClassAuth, message: "guard.proxy.username: " + err.Error()}
		}
		password, err := p.Password.resolve()
		if err != nil {
			return &proxyError{class: ClassAuth, message: "guard.proxy.password: " + err.Error()}
		}
		header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(username+":"+password)))
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: target.String()}, Host: target.String(), Header: header}
	if err := req.Write(conn); err != nil {
		return &proxyError{ClassNetwork, "the proxy broke off", err}
	}
	reader := bufio.NewReader(io.LimitReader(conn, maxProxyResponse))
	resp, err := http.ReadResponse(reader, req)
	switch {
	case err != nil:
		return &proxyError{ClassNetwork, "the proxy broke off or its response is not HTTP", err}
	case resp.StatusCode == http.StatusProxyAuthRequired:
		return &proxyError{class: ClassAuth, message: "the proxy rejects guard.proxy.username and password: HTTP 407"}
	case resp.StatusCode/100 != 2:
		return &proxyError{class: ClassNetwork, message: "the proxy does not connect to the receiver: " + statusLine(ClassUnexpected, resp.StatusCode)}
	case reader.Buffered() > 0:
		return &proxyError{class: ClassNetwork, message: "the proxy sent data before the request"}
	}
	return nil
}

// proxyUnreachable returns the error of a failure on the way to the proxy.
func proxyUnreachable(ctx context.Context, err error) error {
	_, message := classOfError(ctx, err, 0)
	unreachable := &proxyError{class: ClassNetwork, message: "the proxy cannot be reached: " + message}
	if isTimeout(err) { // others are the proxy's, whatever their own class is
		unreachable.cause = err
	}
	return unreachable
}
