package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDetailsDescribeTheInvitation: what an operator sees of a web engagement in the Temporal UI.
func TestDetailsDescribeTheInvitation(t *testing.T) {
	for name, test := range map[string]struct {
		commands [][2]string
		says     string
	}{
		"none":      {[][2]string{{"update_user_data", `{"user_data":{"k":1}}`}}, ""},
		"the first": {[][2]string{{"engage", profile}}, "Invitation 1 of the visitor: no answer yet."},
		"another": {[][2]string{{"engage", profile}, {"engage", `{"ixnProfile":{"visitID":"v1","page":"b"}}`}},
			"Invitation 2 of the visitor: no answer yet."},
		"accepted":  {[][2]string{{"engage", profile}, {"engagement_result", `{"result":"accepted","queue":"web"}`}}, "Invitation 1 of the visitor: accepted."},
		"declined":  {[][2]string{{"engage", profile}, {"engagement_result", `{"result":"declined"}`}}, "Invitation 1 of the visitor: declined."},
		"withdrawn": {[][2]string{{"engage", profile}, {"noengage", `{"cancelData":{}}`}}, "Invitation 1 of the visitor: no answer."},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			details := ""
			e.signals(time.Second, test.commands...)
			e.RegisterDelayedCallback(func() { details = e.details() }, 2*time.Second)
			e.signals(time.Minute, [2]string{"abandon", `{}`}, [2]string{"noengage", `{"cancelData":{}}`})
			e.start(startWeb)
			require.NoError(t, e.GetWorkflowError())
			if details == "" { // it has closed before
				details = e.details()
			}
			require.Contains(t, details, "interaction `i-1` of `cc`")
			if test.says == "" {
				require.NotContains(t, details, "Invitation")
				return
			}
			require.Contains(t, details, "\n"+test.says+"\n")
		})
	}
}
