package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"segue/config"
)

// Configure writes the configuration's file, and opens it.
func (s *Stack) Configure(yaml string) (*config.Store, error) {
	if err := os.WriteFile(s.File, []byte(yaml), 0o600); err != nil {
		return nil, err
	}
	return config.Open(s.File)
}

// Parse returns a configuration that has no file.
func Parse(yaml string) (*config.Store, error) {
	set, err := config.Parse("segue.yaml", []byte(yaml))
	if err != nil {
		return nil, err
	}
	return config.NewStore(set), nil
}

// APIKey returns a line of gateway.auth.api_keys for a key. The fields are the others of the entry, as YAML has them between
// braces.
func APIKey(name, key, fields string) string {
	sum := sha256.Sum256([]byte(key))
	return fmt.Sprintf("      - {name: %s, sha256: %s, %s}\n", name, hex.EncodeToString(sum[:]), fields)
}
