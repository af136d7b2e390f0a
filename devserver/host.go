package main

import (
	"net"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/labstack/echo/v4"
	"github.com/temporalio/ui-server/v2/server/api"
)

// onlyHost refuses requests to the UI's API for a foreign host. Otherwise a web page whose name resolves to this machine
// (DNS rebinding) could read and control every workflow from the user's browser.
func onlyHost(ip string) api.Middleware {
	return func(echo.Context) runtime.ServeMuxOption {
		return runtime.WithMiddlewares(func(next runtime.HandlerFunc) runtime.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request, path map[string]string) {
				if !isOwnHost(r.Host, ip) {
					http.Error(w, "this host is not served: open the UI at the address that `segue dev` prints", http.StatusForbidden)
					return
				}
				next(w, r, path)
			}
		})
	}
}

// isOwnHost reports whether a Host header names this machine: localhost or a loopback address.
func isOwnHost(header, ip string) bool {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]") // IPv6 without a port
	}
	address := net.ParseIP(host)
	return host == "localhost" || host == ip || address != nil && address.IsLoopback()
}
