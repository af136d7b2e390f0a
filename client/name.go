package client

import (
	"fmt"
	"regexp"
	"strings"

	"segue/contract"
	"segue/interaction"
)

// Name identifies an interaction.
type Name struct {
	ContactCenter string `json:"contact_center"`
	ID            string `json:"id"`
}

var namePart = regexp.MustCompile(`^[A-Za-z0-9._~:@-]{1,128}$`)

// ParseName reads "ID" or "CONTACT-CENTER/ID"; "ID" alone is in the given contact center. It
// returns the error of Check.
func ParseName(text, contactCenter string) (Name, error) {
	n := Name{ContactCenter: contactCenter, ID: text}
	if before, after, found := strings.Cut(text, "/"); found {
		n = Name{ContactCenter: before, ID: after}
	}
	return n, n.Check()
}

// Check returns an error if a part is not 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -,
// or if both parts together are longer than interaction.MaxIdentity bytes.
func (n Name) Check() error {
	if !namePart.MatchString(n.ContactCenter) {
		return fmt.Errorf("contact center %q: use 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -", n.ContactCenter)
	}
	if !namePart.MatchString(n.ID) {
		return fmt.Errorf("interaction id %q: use 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -, as ID or CONTACT-CENTER/ID", n.ID)
	}
	if together := len(n.ContactCenter) + len(n.ID); together > interaction.MaxIdentity {
		return fmt.Errorf("contact center %q and interaction id %q: have %d bytes together; keep both together within %d",
			n.ContactCenter, n.ID, together, interaction.MaxIdentity)
	}
	return nil
}

// WorkflowID returns the id of the interaction's workflow.
func (n Name) WorkflowID() string { return contract.InteractionWorkflowID(n.ContactCenter, n.ID) }

// String returns "CONTACT-CENTER/ID".
func (n Name) String() string { return n.ContactCenter + "/" + n.ID }
