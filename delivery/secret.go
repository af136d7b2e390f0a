package delivery

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSecretFile bounds the file of a secret, maxBundle one with authorities, in bytes.
const (
	maxSecretFile = 64 << 10
	maxBundle     = 1 << 20
)

// resolve reads the secret now, so that a rotated one is used from the next attempt on. Its
// errors name the reference at most, never a value.
func (s SecretRef) resolve() (string, error) { return s.read(maxSecretFile) }

// Resolve reads the secret now. Its errors name the reference at most, never a value.
func (s SecretRef) Resolve() (string, error) { return s.read(maxBundle) }

// Check reports an error if the reference resolves to no secret now.
func (s SecretRef) Check() error {
	_, err := s.read(maxBundle)
	return err
}

func (s SecretRef) read(limit int64) (string, error) {
	kind, name, _ := strings.Cut(string(s), ":")
	var secret string
	switch {
	case kind == "env" && name != "":
		secret = os.Getenv(name)
	case kind == "file" && name != "":
		content, err := readSecretFile(name, limit)
		if err != nil {
			return "", fmt.Errorf("secret %s cannot be read", s)
		}
		if int64(len(content)) > limit {
			return "", fmt.Errorf("secret %s is longer than %d bytes", s, limit)
		}
		// Editors and secret stores end a file with a newline that is not part of the secret.
		secret = strings.TrimRight(string(content), "\r\n")
	default:
		// The reference may be the secret itself, in the wrong place: do not repeat it.
		return "", errors.New("a secret must be a reference, env:NAME or file:PATH")
	}
	if secret == "" {
		return "", fmt.Errorf("secret %s is not set", s)
	}
	return secret, nil
}

func readSecretFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}
