package engagement_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/contract"
)

// A callback that Segue has sent to itself, and that arrives late, must not invite again, or withdraw what is open.
func TestAnOwnCallbackCausesNothing(t *testing.T) {
	const engageV1 = `engage {"ixnProfile":{"visitID":"v1","page":"a"}}`
	for name, test := range map[string]struct {
		id    string
		state []string
		want  string
	}{
		"open":               {"visit-v1", []string{engageV1}, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1,"duplicate":true}`},
		"over":               {"visit-v1", []string{engageV1, `engagement_result {"result":"declined"}`}, `200 {"status":"OK","ixnId":"visit-v1","state":"completed","attempt":1,"outcome":"not_engaged","duplicate":true}`},
		"replaced":           {"visit-v1", []string{engageV1, `engage {"ixnProfile":{"visitID":"v1","page":"b"}}`}, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":2,"duplicate":true}`},
		"answered":           {"visit-v1", []string{engageV1, `engagement_result {"result":"accepted","queue":"q"}`}, `200 {"status":"OK","ixnId":"visit-v1","state":"queued","attempt":1,"duplicate":true}`},
		"not of the visit":   {"other", []string{engageV1}, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1,"duplicate":true}`},
		"dropped since then": {"", nil, `200 {"status":"OK","ixnId":"visit-v1","state":"","duplicate":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.id != "" {
				w.play(test.id, "web", test.state...)
			}
			attempt := contract.EngagementAttempt{ContactCenter: cc, Interaction: test.id, FirstRunID: "run-1", Number: 1}
			if test.id == "" {
				attempt.Interaction = "visit-v1"
			}
			w.known = map[client.Name]string{named(attempt.Interaction): "run-1"}
			w.now = w.now.Add(time.Hour)
			engaged, starts := w.engaged, w.starts
			answer := w.engage(profile, contract.HeaderEngagement, attempt.Header(), "Idempotency-Key", "msg_1")
			require.Equal(t, test.want, answer.String())
			require.Equal(t, 200, w.noengage(profile, contract.HeaderEngagement, attempt.Header()).code)
			require.Equal(t, []int{engaged, starts}, []int{w.engaged, w.starts})
			if test.id != "" && name == "open" {
				require.Equal(t, "engaging", string(w.interactions[named(test.id)].inner.Status().State), "noengage withdrew nothing")
			}
		})
	}
}

// A callback of another Segue, whose backend this one is, is a request like any other.
func TestACallbackOfAnotherSegueInvites(t *testing.T) {
	for name, header := range map[string]string{
		"another run":    "interaction=visit-v1; attempt=1; run=elsewhere; contact_center=" + cc,
		"another id":     "interaction=visit-v2; attempt=1; run=run-1; contact_center=" + cc,
		"no id":          "interaction=; attempt=1; run=run-1; contact_center=" + cc,
		"a wrong id":     "interaction=a/b; attempt=1; run=run-1; contact_center=" + cc,
		"no run":         "interaction=visit-v1; attempt=1; contact_center=" + cc,
		"a wrong number": "interaction=visit-v1; attempt=x; run=run-1; contact_center=" + cc,
		"nonsense":       ";;=;",
	} {
		w := newWorld(t)
		w.play("visit-v1", "web", `engage {"ixnProfile":{"visitID":"v1","page":"a"}}`, `engagement_result {"result":"declined"}`)
		w.known = map[client.Name]string{named("visit-v1"): "run-1"}
		w.now = w.now.Add(time.Hour)
		require.Equal(t, `200 {"status":"OK","ixnId":"visit-v1","state":"engaging","attempt":1}`, w.engage(profile, contract.HeaderEngagement, header).String(), name)
		require.Equal(t, 2, w.engaged, name)
	}
}

func TestWithoutTemporalACallbackIsSentAgain(t *testing.T) {
	w := newWorld(t)
	w.fails = client.ErrUnreachable
	answer := w.engage(profile, contract.HeaderEngagement, "interaction=visit-v1; attempt=1; run=run-1; contact_center="+cc)
	require.Equal(t, 503, answer.code)
}

// A Segue for several contact centers gets its own callbacks with one credential, and whatever profile the platform gave: a
// refusal would end the attempt, and another contact center would invite again.
func TestAnOwnCallbackOfAnotherContactCenterOrWithoutAnIDCausesNothing(t *testing.T) {
	for name, test := range map[string]struct{ body, want string }{
		"another contact center": {profile, `200 {"status":"OK","ixnId":"visit-v1","state":"","duplicate":true}`},
		"no id":                  {`{"ixnProfile":{}}`, `200 {"status":"OK","ixnId":"c-1","state":"","duplicate":true}`},
		"a wrong visit":          {`{"ixnProfile":{"visitID":"a b"}}`, `200 {"status":"OK","ixnId":"c-1","state":"","duplicate":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			attempt := contract.EngagementAttempt{ContactCenter: "berlin", Interaction: "c-1", FirstRunID: "run-1", Number: 1}
			w.known = map[client.Name]string{{ContactCenter: "berlin", ID: "c-1"}: "run-1"}
			require.Equal(t, test.want, w.engage(test.body, contract.HeaderEngagement, attempt.Header()).String())
			require.Equal(t, 0, w.engaged+w.starts)
			attempt.FirstRunID = "elsewhere"
			require.NotEqual(t, test.want, w.engage(test.body, contract.HeaderEngagement, attempt.Header()).String(), "of another Segue")
		})
	}
}
