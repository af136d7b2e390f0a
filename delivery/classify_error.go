package delivery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"segue/contract"
	"segue/excerpt"
)

// classifyError completes the outcome of an exchange that brought no response.
func (x *exchange) classifyError(ctx context.Context, o *contract.Outcome, err error, deadline time.Duration) {
	if missing, ok := errors.AsType[*noTokenError](err); ok {
		o.Class, o.Verdict = string(ClassAuth), x.policy.verdictOf(ClassAuth)
		o.Code, o.Message = missing.code, joined(x.used.redact(missing.Error()))
		return
	}
	class, message := classOfError(ctx, err, deadline)
	if class == ClassReset && x.policy.Auth.MTLS != nil {
		// Since TLS 1.3 a server checks the client's certificate after the client takes the
		// handshake for finished, and its alert may be lost with the connection.
		message += "; the receiver may not accept the client certificate"
	}
	verdict, why := x.policy.verdictOf(class), ""
	if x.sent {
		verdict, why = x.policy.verdictUnknown(class)
	}
	o.Class, o.Verdict, o.Message = string(class), verdict, joined(x.used.redact(message), why)
}

// isOver reports whether the deadline of a context has passed. A connection has the same deadline, and may end by
// it before the context does.
func isOver(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && !time.Now().Before(deadline)
}

// classOfError returns the class of an error that brought no response, and a message for
// people. The message holds no URL and no address: both may carry what must not be
// recorded. ctx is the attempt's own, deadline its whole time.
func classOfError(ctx context.Context, err error, deadline time.Duration) (Class, string) {
	var blocked *blockedError
	var proxy *proxyError
	var name *net.DNSError
	switch {
	case errors.As(err, &blocked):
		return ClassBlocked, blocked.Error()
	case ctx.Err() != nil, isTimeout(err) && isOver(ctx):
		return ClassTimeout, "no answer within " + deadline.String()
	case errors.As(err, &proxy):
		return proxy.class, proxy.message
	case errors.As(err, &name):
		if name.IsNotFound {
			return ClassDNS, "the host name " + name.Name + " does not resolve"
		}
		return ClassDNS, "resolving the host name " + name.Name + " failed"
	case isTLS(err):
		return ClassTLS, "no trusted TLS connection: " + certificateFault(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return ClassRefused, "connection refused"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return ClassUnreachable, "no route to the receiver"
	case isTimeout(err):
		return ClassTimeout, "the connection timed out"
	case isTooLarge(err):
		return ClassTooLarge, "the response's header is too large"
	case isMalformed(err):
		return ClassProtocol, "the response is not HTTP, or broke off in its header"
	case isBroken(err):
		return ClassReset, "the connection broke before the response came"
	}
	return ClassNetwork, "the connection failed: " + innermost(err)
}

func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &record), errors.As(err, &alert), errors.As(err, &certificate),
		errors.As(err, &authority), errors.As(err, &host), errors.As(err, &invalid):
		return true
	}
	text := err.Error()
	return strings.Contains(text, "tls: ") || strings.Contains(text, "server gave HTTP response to HTTPS client")
}

// certificateFault returns what is wrong with a certificate, without the names and
// addresses in it.
func certificateFault(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &host):
		return "the certificate is for another host"
	case errors.As(err, &authority):
		return "the certificate is signed by an unknown authority"
	}
	return innermost(err)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, syscall.ETIMEDOUT) || (errors.As(err, &timeout) && timeout.Timeout())
}

// net/http has no types for the following errors; the tests check its texts.

func isTooLarge(err error) bool {
	return containsAny(err, "headers exceeded", "header list too large", "header list larger", "header list exceeded")
}

func isMalformed(err error) bool {
	return containsAny(err, "malformed", "bad Content-Length", "multiple Content-Length", "transfer encoding", "protocol error", "connection error: ")
}

func isBroken(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		containsAny(err, "server closed", "connection broken", "connection lost", "could not be established", "stream error", "GOAWAY")
}

func containsAny(err error, texts ...string) bool {
	message := err.Error()
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(message, text) })
}

// innermost returns the text of the root cause alone: the errors around it name addresses.
func innermost(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return excerpt.Cut(err.Error(), maxMessage)
		}
		err = inner
	}
}
