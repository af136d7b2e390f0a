package interaction_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

func TestTheContractHasTheDiagram(t *testing.T) {
	requireShown(t, "../docs/contract.md", "states", "```mermaid\n"+interaction.Diagram()+"```\n")
}

// requireShown compares what a document has between <!-- name: … --> and <!-- /name -->
// with what is drawn from the code. SEGUE_WRITE_DOCS=1 draws it again.
func requireShown(t *testing.T, file, name, want string) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	place := regexp.MustCompile(`(?s)(<!-- ` + name + `: [^\n]*-->\n)(.*?)(<!-- /` + name + ` -->)`).FindSubmatchIndex(content)
	require.NotNil(t, place, "%s has no place for %s", file, name)
	if os.Getenv("SEGUE_WRITE_DOCS") == "1" {
		drawn := string(content[:place[4]]) + want + string(content[place[5]:])
		require.NoError(t, os.WriteFile(file, []byte(drawn), 0o644))
		return
	}
	require.Equal(t, want, string(content[place[4]:place[5]]), "draw it again: SEGUE_WRITE_DOCS=1 go test -run %s ./interaction", t.Name())
}
