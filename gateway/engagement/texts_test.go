package engagement_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/gateway/engagement"
	"segue/interaction"
)

// A strategy behind a proxy must learn which header makes its network one of all the world.
func TestARequestOfATrustedNetworkIsRefusedWithTheHeader(t *testing.T) {
	for name, says := range map[string]string{
		"X-Forwarded-For":  "the header X-Forwarded-For (the address of a client), which proxies send: send the request without it, or with a credential.",
		"Via":              "the header Via (a proxy), which proxies send",
		"X-Forwarded-Host": "the header X-Forwarded-Host (a host), which proxies send",
		"X-Real-Ip":        "the header X-Real-Ip (the address of a client), which proxies send",
		"Origin":           "the header Origin (a site), which browsers send",
		"Sec-Fetch-Mode":   "the header Sec-Fetch-Mode (the purpose of a request), which browsers send",
		"Cookie":           "",
	} {
		for _, remote := range []string{"10.1.2.3:1", "192.0.2.1:1"} {
			w := newWorld(t)
			w.caller = nil
			w.settings.Trusted = []engagement.Network{{Network: netip.MustParsePrefix("10.0.0.0/8"), ContactCenter: cc}}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/server/data/gateway/engage", strings.NewReader(profile))
			r.RemoteAddr = remote
			r.Header.Set(name, "198.51.100.7")
			answer := w.serve(w.face.Trust(w.face.Strategies(), w.face.Strategies()), r)
			require.Equal(t, 401, answer.code, name)
			require.NotContains(t, answer.body, "198.51.100.7")
			message, _ := answer.fields["message"].(string)
			if remote == "10.1.2.3:1" && says != "" {
				require.Contains(t, message, "gateway.engagement.trusted")
				require.Contains(t, message, says)
			} else {
				require.NotContains(t, message, "trusted", "whoever is not of the network learns nothing of it")
			}
		}
	}
}

func TestALinkThatIsLoadedInAdvanceIsNoAnswer(t *testing.T) {
	for header, value := range map[string]string{
		"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch", "X-Purpose": "preview",
	} {
		w := newWorld(t)
		w.engage(profile)
		link := w.invited("visit-v1", time.Minute).Disposition["accepted"]
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
		r.Header.Set(header, value)
		answer := w.serve(w.face.Disposition(), r)
		require.Equal(t, 403, answer.code, header)
		require.Contains(t, answer.fields["message"], header)
		require.Equal(t, "no-store", answer.header.Get("Cache-Control"))
		require.Equal(t, 405, w.follow(http.MethodHead, link, "").code)
		require.Equal(t, interaction.StateEngaging, w.interactions[named("visit-v1")].inner.Status().State)
		require.Equal(t, 200, w.follow(http.MethodGet, link, "").code, "the visitor opens it")
	}
}

func TestAnotherAnswerIsNamedAsThePageSentIt(t *testing.T) {
	for _, first := range []string{"rejected", "accepted", "timeout"} {
		w := newWorld(t)
		w.engage(profile)
		links := w.invited("visit-v1", time.Minute).Disposition
		require.Equal(t, 200, w.follow(http.MethodGet, links[first], "").code)
		require.Equal(t, "the invitation has another answer: "+first, w.follow(http.MethodGet, links["failed"], "").fields["message"])
	}
}

func TestTheObjectOfTheOtherRequestIsNamed(t *testing.T) {
	for _, test := range []struct{ path, body, says string }{
		{"engage", `{"cancelData":{"visitID":"v1"}}`, "cancelData: of noengage; engage needs ixnProfile"},
		{"engage", "cancelData=" + url.QueryEscape(`{"visitID":"v1"}`), "cancelData: of noengage; engage needs ixnProfile"},
		{"engage?cancelData=%7B%7D", "", "cancelData: of noengage; engage needs ixnProfile"},
		{"noengage", `{"ixnProfile":{"visitID":"v1"}}`, "ixnProfile: of engage; noengage needs cancelData"},
		{"engage", `{"visitID":"v1","cancelData":{}}`, ""}, // a key that is kept
		{"engage", `{"ixnProfile":{"visitID":"v1"},"cancelData":{}}`, ""},
	} {
		w := newWorld(t)
		answer := w.post("/server/data/gateway/"+test.path, test.body)
		if test.says == "" {
			require.Equal(t, 200, answer.code, test.body)
			continue
		}
		require.Equal(t, 400, answer.code, test.body)
		require.Equal(t, test.says, answer.fields["message"])
		require.Zero(t, w.starts)
	}
}

func TestAnOpenOutcomeNamesNoKeyThatWasNotSent(t *testing.T) {
	const says = "The interaction did not answer, so the outcome is open. Send the request again as it is: it counts once."
	w := newWorld(t)
	w.engage(profile)
	link := w.invited("visit-v1", time.Minute).Disposition["accepted"]
	for _, failure := range []error{client.ErrUnreachable, client.ErrStuck} {
		w.fails = failure
		for _, answer := range []result{w.follow(http.MethodGet, link, ""), w.engage(profile)} {
			require.Equal(t, 503, answer.code)
			require.Equal(t, says, answer.fields["message"])
			require.NotEmpty(t, answer.header.Get("Retry-After"))
		}
		require.Contains(t, w.engage(profile, "Idempotency-Key", "k").body, "same key")
	}
}
