package config

import (
	"regexp"
	"slices"
	"strings"
)

// confidential are the blocks and keys in which a secret may be written by mistake
// where its reference belongs.
var confidential = []string{"auth", "sign", "tls", "proxy", "api_key"}

// keyPattern is what a key of the file looks like.
var keyPattern = regexp.MustCompile(`^[a-z_]{1,24}$`)

// isConfidential reports whether the value at a path may be a secret, which no error,
// log or report repeats.
func isConfidential(path string) bool {
	for name := range strings.SplitSeq(path, ".") {
		name, _, _ = strings.Cut(name, "[")
		if slices.Contains(confidential, name) {
			return true
		}
	}
	return false
}

// pairValue is the path of a value that is a header or a parameter, where keys and
// tokens are sent.
var pairValue = regexp.MustCompile(`\.(query|headers)\[\d+\]\.value$`)

// shown is the value at a path as an error may repeat it; "" for what may be a secret.
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

// masked is a text without the user and the query of the URL that it may be.
func masked(s string) string {
	s = userPart.ReplaceAllString(s, "$1***@")
	return queryPart.ReplaceAllString(s, "$1***")
}
