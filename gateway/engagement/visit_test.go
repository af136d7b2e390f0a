package engagement_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/gateway/engagement"
)

const rule = "use 1 to 122 of the characters A-Z a-z 0-9 . _ ~ : @ -"

// A visit that no page can have is refused: the strategy must not believe that the visitor was invited.
func TestAVisitThatNoPageCanHaveIsRefused(t *testing.T) {
	long := strings.Repeat("v", 123)
	for visit, says := range map[string]string{
		`"a b"`:                `ixnProfile.visitID: "a b": not the id of a visit; ` + rule,
		`"ä"`:                  `ixnProfile.visitID: "ä": not the id of a visit; ` + rule,
		`"a/b"`:                `ixnProfile.visitID: "a/b": not the id of a visit; ` + rule,
		`"` + long + `"`:       `ixnProfile.visitID: "` + long[:40] + `…": not the id of a visit; ` + rule,
		`{"id":"v"}`:           `ixnProfile.visitID: {"id":"v"}: neither a text nor a whole number; send a text in quotes`,
		`["v"]`:                `ixnProfile.visitID: ["v"]: neither a text nor a whole number; send a text in quotes`,
		`true`:                 `ixnProfile.visitID: true: neither a text nor a whole number; send a text in quotes`,
		`1.5`:                  `ixnProfile.visitID: 1.5: neither a text nor a whole number; send a text in quotes`,
		`12345678901234567890`: `ixnProfile.visitID: 12345678901234567890: a number of more than 15 digits; send a text in quotes`,
	} {
		for _, profile := range []string{`{"visitID":` + visit + `}`, `{"ixnId":"ix","visitID":` + visit + `}`} {
			w := newWorld(t)
			answer := w.engage(profile)
			require.Equal(t, 400, answer.code, profile)
			require.Equal(t, []any{"FAULT", "malformed", says}, []any{answer.fields["status"], answer.fields["code"], answer.fields["message"]})
			require.Zero(t, w.engaged+w.starts)
		}
	}
	w := newWorld(t)
	require.Contains(t, w.engage(`{"ixnId":"ix","visitID":"v","visitId":"a b"}`).body, `ixnProfile.visitId: `)
	require.Equal(t, 200, w.noengage(`{"ixnId":"ix","visitID":"a b"}`).code, "an invitation can be withdrawn by the interaction alone")
}

func TestTheVisitOfAnInvitation(t *testing.T) {
	for profile, visit := range map[string]string{
		`{"visitID":"v1"}`:                                            "v1",
		`{"ixnId":"ix","visitID":"v1"}`:                               "v1",
		`{"ixnId":"ix","visitID":123456789012345}`:                    "123456789012345",
		`{"ixnId":"ix","visitId":"v2","visitID":""}`:                  "v2",
		`{"ixnId":"visit-v3"}`:                                        "v3",
		`{"ixnId":"ix","visitID":"` + strings.Repeat("v", 122) + `"}`: strings.Repeat("v", 122),
		`{"visitID":"` + strings.Repeat("v", 122) + `"}`:              strings.Repeat("v", 122),
	} {
		w := newWorld(t)
		require.Equal(t, 200, w.engage(profile).code, profile)
		for _, i := range w.interactions {
			state := w.stateOf(i)
			require.Equal(t, visit, engagement.InvitationOf(&state).Visit, profile)
			require.True(t, engagement.IsVisit(visit))
		}
	}
	// Another profile of the same interaction need not name the visitor again.
	w := newWorld(t)
	require.Equal(t, 200, w.engage(`{"ixnId":"ix","visitID":"v1"}`).code)
	require.Equal(t, 200, w.engage(`{"ixnId":"ix","page":"b"}`).code)
	state := w.stateOf(w.interactions[named("ix")])
	require.Equal(t, "v1 2", fmt.Sprint(engagement.InvitationOf(&state).Visit, " ", engagement.InvitationOf(&state).Attempt))
	// A platform may reach a visitor that no page is of.
	require.Equal(t, 200, w.engage(`{"ixnId":"iy"}`).code)
	state = w.stateOf(w.interactions[named("iy")])
	require.Nil(t, engagement.InvitationOf(&state))
}

func TestTheContactCenterIsATextAndOne(t *testing.T) {
	for body, want := range map[string]string{
		`{"visitID":"v1","contact_center":"berlin"}`:                                          "",
		`{"ixnProfile":{"visitID":"v1","contact_center":"berlin"}}`:                           "",
		`{"ixnProfile":{"visitID":"v1","contact_center":null},"contact_center":"berlin"}`:     "",
		`{"ixnProfile":{"visitID":"v1","contact_center":"berlin"},"contact_center":"berlin"}`: "",
		`{"visitID":"v1","contact_center":7}`:                                                 `ixnProfile.contact_center: 7: not a text; send a text in quotes`,
		`{"ixnProfile":{"visitID":"v1","contact_center":{"a":1}}}`:                            `ixnProfile.contact_center: {"a":1}: not a text; send a text in quotes`,
		`{"ixnProfile":{"visitID":"v1","contact_center":["x"]},"contact_center":"berlin"}`:    `ixnProfile.contact_center: ["x"]: not a text; send a text in quotes`,
		`{"ixnProfile":{"visitID":"v1"},"contact_center":7}`:                                  `contact_center: 7: not a text; send a text in quotes`,
		`{"ixnProfile":{"visitID":"v1","contact_center":"berlin"},"contact_center":"rome"}`:   `ixnProfile.contact_center: "berlin": the request names another contact center beside ixnProfile; send one of them`,
	} {
		w := newWorld(t)
		answer := w.post("/server/data/gateway/engage", body)
		if want == "" {
			require.Equal(t, 200, answer.code, answer)
			continue
		}
		require.Equal(t, 400, answer.code, body)
		require.Equal(t, want, answer.fields["message"], body)
	}
}
