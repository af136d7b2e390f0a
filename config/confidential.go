package config

import (
	"regexp"
	"slices"
	"strings"
)

// confidential are the blocks and keys in which somebody may write a secret instead of its
// reference.
var confidential = []string{"auth", "sign", "tls", "proxy", "api_key", "session_keys"}

// keyPattern matches what looks like a key of the file.
var keyPattern = regexp.MustCompile(`^[a-z_]{1,24}$`)

// isConfidential reports whether the value at a path may be a secret. No error, log or
// report repeats such a value.
func isConfidential(path string) bool {
	if path == "bus.password" || path == "bus.token" {
		return true
	}
	for name := range strings.SplitSeq(path, ".") {
		name, _, _ = strings.Cut(name, "[")
		if slices.Contains(confidential, name) {
			return true
		}
	}
	return false
}

// pairValue matches the paths of the values of headers and parameters, in which people
// send keys and tokens.
var pairValue = regexp.MustCompile(`\.(query|headers)\[\d+\]\.value$`)

// shown returns the value at a path as an error may repeat it, and "" if it may be a secret.
func shown(path, value string) string {
	if isConfidential(path) || pairValue.MatchString(path) {
		return ""
	}
	return masked(value)
}

var (
	userPart  = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://)?.+@`)
	queryPart = regexp.MustCompile(`^([^?#&]*://[^?#&]*[?#&]|[^?]*\?[^=]*=).+$`)
)

// masked returns a text without the user and the query of a URL, in case it is one.
func masked(s string) string {
	s = userPart.ReplaceAllString(s, "$1***@")
	return queryPart.ReplaceAllString(s, "$1***")
}
