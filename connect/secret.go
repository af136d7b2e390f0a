package connect

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// resolve reads a secret by its reference. No error contains what was read.
func resolve(reference string) (string, error) {
	kind, name, _ := strings.Cut(reference, ":")
	var secret string
	switch {
	case kind == "env" && name != "":
		secret = os.Getenv(name)
	case kind == "file" && name != "":
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		secret = string(content)
	default:
		// The reference may be the secret itself, in the wrong place: do not repeat it.
		return "", errors.New("it must be a reference, env:NAME or file:PATH")
	}
	if secret = strings.TrimSpace(secret); secret == "" {
		return "", fmt.Errorf("%s is empty", reference)
	}
	return secret, nil
}
