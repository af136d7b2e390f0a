// Package auth finds out who sends a request: by API key, JWT, Basic, session cookie, or on loopback
// without any. It checks Origin, Host and the CSRF token of what a browser sends by itself, and knows
// which commands each role may give.
//
// It must never know what a request asks for, nor Temporal.
package auth
