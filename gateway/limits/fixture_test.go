package limits_test

import (
	"crypto/sha256"
	"encoding/hex"

	"segue/config"
	"segue/delivery"
	"segue/interaction"
)

func resolve(delivery.SecretRef) (string, error) { return "open sesame", nil }

func gateway() config.Gateway {
	sum := sha256.Sum256([]byte("the-key"))
	return config.Gateway{Auth: config.Auth{
		APIKeys: []config.APIKey{{Name: "key", SHA256: hex.EncodeToString(sum[:]), Role: interaction.RoleAdmin, ContactCenters: []string{"acme"}}},
		Users:   []config.User{{Name: "bob", Password: "env:PASSWORD", Role: interaction.RoleAgent, ContactCenters: []string{"acme"}}},
	}}
}
