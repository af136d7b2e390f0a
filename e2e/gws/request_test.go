package gws_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"segue/e2e/stack"
	"segue/interaction"
)

// caller is a credential of the tests, and who it makes its bearer.
type caller struct {
	name    string
	role    interaction.Role
	centers string
	// basic makes the caller send name and password; else it sends an API key.
	basic bool
}

// The callers. Those who are agents have their name as their id. Everybody has an API key, whose rate is
// not limited, and agents a password too.
var (
	thePlatform   = caller{name: "switch", role: interaction.RolePlatform, centers: "acme"}
	theAdmin      = caller{name: "root", role: interaction.RoleAdmin, centers: "acme"}
	theSupervisor = caller{name: "sue", role: interaction.RoleSupervisor, centers: "acme"}
	ann           = caller{name: "ann", role: interaction.RoleAgent, centers: "acme"}
	bob           = caller{name: "bob", role: interaction.RoleAgent, centers: "acme"}
	carl          = caller{name: "carl", role: interaction.RoleAgent, centers: "acme"}
	eve           = caller{name: "eve", role: interaction.RoleAgent, centers: "umbrella"}
	elsewhere     = caller{name: "elsewhere", role: interaction.RolePlatform, centers: "umbrella"}
	nobody        = caller{}

	everybody = []caller{thePlatform, theAdmin, theSupervisor, ann, bob, carl, eve, elsewhere}
	agents    = []caller{ann, bob, carl}
)

const password = "a password of the tests"

// withPassword is the same agent, by HTTP Basic.
func (c caller) withPassword() caller {
	c.basic = true
	return c
}

func (c caller) key() string { return "a-key-of-the-tests-" + c.name }

func (c caller) isAgent() bool { return c.role == interaction.RoleAgent }

// actor is whom the gateway makes of the caller; nil for the platform.
func (c caller) actor() *interaction.Actor {
	if c.role == interaction.RolePlatform {
		return nil
	}
	return &interaction.Actor{ID: c.name, Role: c.role}
}

// headers returns the credential as a pair of header and value; nothing for nobody.
func (c caller) headers() []string {
	switch {
	case c.basic:
		return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(c.name+":"+password))}
	case c.name != "":
		return []string{"X-API-Key", c.key()}
	}
	return nil
}

// sign adds the credential to a request.
func (c caller) sign(r *http.Request) {
	if headers := c.headers(); headers != nil {
		r.Header.Set(headers[0], headers[1])
	}
}

// credentials is the part of the configuration that has the callers.
func credentials() string {
	var text strings.Builder
	text.WriteString("gateway:\n  auth:\n    api_keys:\n")
	for _, c := range everybody {
		text.WriteString(stack.APIKey(c.name, c.key(), fmt.Sprintf("role: %s, contact_centers: [%q], rate: 100000%s", c.role, c.centers, c.agentField())))
	}
	text.WriteString("    users:\n")
	for _, c := range everybody {
		if c.isAgent() {
			fmt.Fprintf(&text, "      - {name: %s, password: env:SEGUE_TESTS_PASSWORD, role: agent, agent: %s, contact_centers: [%q]}\n", c.name, c.name, c.centers)
		}
	}
	return text.String()
}

func (c caller) agentField() string {
	if c.isAgent() {
		return ", agent: " + c.name
	}
	return ""
}

// answer is the answer to a request.
type answer struct{ stack.Answer }

// code is the statusCode; -1 if there is none.
func (a answer) code() int {
	if code, ok := a.Body["statusCode"].(float64); ok {
		return int(code)
	}
	return -1
}

// send sends a request to a path, or to an absolute URI, with the caller's credential. The headers are
// pairs.
func (c caller) send(method, path, body string, headers ...string) (answer, error) {
	if !strings.HasPrefix(path, "http") {
		path = base + path
	}
	a, err := stack.Send(context.Background(), client, method, path, body, append(c.headers(), headers...)...)
	return answer{a}, err
}

// start starts an interaction as the platform, with its first commands, and returns its revision.
func start(id, fields string, commands ...string) (revision int64, err error) {
	body := fmt.Sprintf(`{"id":%q,%s,"commands":[%s]}`, id, fields, strings.Join(commands, ","))
	a, err := thePlatform.send(http.MethodPost, "/v1/interactions", body)
	if err != nil {
		return 0, err
	}
	first, _ := a.Body["answer"].(map[string]any)
	number, ok := first["revision"].(float64)
	if a.Status != http.StatusCreated || !ok {
		return 0, fmt.Errorf("start of %s: %d %s", id, a.Status, a.Raw)
	}
	if results, _ := a.Body["results"].([]any); len(results) > 0 {
		for _, result := range results {
			if fields, _ := result.(map[string]any); fields["error"] != nil {
				return 0, fmt.Errorf("start of %s: %s", id, a.Raw)
			}
		}
	}
	return int64(number), nil
}
