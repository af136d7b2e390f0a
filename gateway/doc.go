// Package gateway is the HTTP server of Segue: one listener with the faces, each in a package of its
// own, behind the same authentication, limits, access log and health.
//
// It must never know how a command is judged, nor run a workflow or an activity: it reaches Temporal
// through package client, as any platform does.
package gateway
