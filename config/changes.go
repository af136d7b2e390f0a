package config

import (
	"maps"
	"strings"

	"segue/delivery"
)

// secretPlace is where the configuration refers to a secret.
type secretPlace struct {
	path string
	line int
	ref  delivery.SecretRef
	// signs is true for a key of Standard Webhooks.
	signs bool
	// gateway is true for a secret that only the gateway reads.
	gateway bool
}

func (p secretPlace) check() error {
	if p.signs {
		return p.ref.CheckSigning()
	}
	return p.ref.Check()
}

// MissingSecrets lists the references that lead to no secret at present, or to one that
// cannot be used. A configuration with missing secrets still loads: requests of such a
// call are not sent, and are retried until the secret exists.
//
// It lists the secrets of calls; MissingGatewaySecrets lists those that the gateway reads.
func (s *Set) MissingSecrets() Errors { return s.missingSecrets(false) }

// MissingGatewaySecrets is MissingSecrets for the secrets of the gateway.
func (s *Set) MissingGatewaySecrets() Errors { return s.missingSecrets(true) }

func (s *Set) missingSecrets(ofGateway bool) Errors {
	var missing Errors
	for _, place := range s.secrets {
		if place.gateway != ofGateway {
			continue
		}
		err := place.check()
		if err == nil {
			continue
		}
		remedy := "create it: every attempt reads it again"
		if strings.HasPrefix(string(place.ref), "env:") {
			remedy = "set it and restart the process: a running process does not see new variables"
		}
		missing = append(missing, Error{File: s.File, Line: place.line, Path: place.path, Problem: err.Error(), Remedy: remedy})
	}
	return missing.bounded()
}

// NeedsRestart names the settings that a process reads only when it starts and that differ
// from those it was started with.
func (s *Set) NeedsRestart(started *Set) []string {
	var names []string
	for _, setting := range processSettings {
		if isOfProcess(setting.key) && s.settings[setting.key] != started.settings[setting.key] {
			names = append(names, setting.key)
		}
	}
	return names
}

// isOfProcess reports whether a reload cannot change a setting. It can change log.level,
// gateway.public_url and gateway.gws.csrf.
func isOfProcess(key string) bool {
	block, _, _ := strings.Cut(key, ".")
	switch block {
	case "temporal", "bus", "metrics":
		return true
	case "gateway":
		return key != "gateway.public_url" && key != "gateway.gws.csrf"
	}
	return key == "log.format"
}

// equals reports whether two sets have the same content.
func (s *Set) equals(other *Set) bool {
	return s.Version == other.Version && s.access == other.access && maps.Equal(s.settings, other.settings)
}
