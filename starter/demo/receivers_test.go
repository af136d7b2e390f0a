package demo_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/starter/demo"
)

func listen(t *testing.T) *demo.Receivers {
	receivers, err := demo.Listen()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, receivers.Close()) })
	return receivers
}

func post(t *testing.T, target, id, body string) int {
	request, err := http.NewRequest(http.MethodPost, target, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("webhook-id", id)
	request.Header.Set("Idempotency-Key", id)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestFlakyFailsTwiceBeforeEachSuccess(t *testing.T) {
	receivers := listen(t)
	target := receivers.URL(demo.ReceiverFlaky) + "/notes"
	for _, id := range []string{"one", "two"} {
		require.Equal(t, 503, post(t, target, id, "x"))
		require.Equal(t, 503, post(t, target, id, "x"))
		require.Equal(t, 200, post(t, target, id, "x"))
	}
	require.Equal(t, 2, receivers.Ledger.Settled())
	require.Equal(t, 6, receivers.Ledger.Len())
}

func TestEngagementAnswersAsDocumented(t *testing.T) {
	base := listen(t).URL(demo.ReceiverEngagement)
	for name, test := range map[string]struct {
		path, body string
		status     int
	}{
		"engage":              {"/backend/data/gateway/engage", `{"ixnProfile":{"visitID":"v1"}}`, 200},
		"the newer path":      {"/server/data/gateway/engage", `{"ixnProfile":{"visitID":"v1"}}`, 200},
		"as a form":           {"/backend/data/gateway/engage", "ixnProfile=" + url.QueryEscape(`{"visitID":"v1"}`), 200},
		"noengage":            {"/backend/data/gateway/noengage", `{"cancelData":{"reason":"busy"}}`, 200},
		"a refused visitor":   {"/backend/data/gateway/engage", `{"ixnProfile":{"visitID":"refuse-7"}}`, 400},
		"a missing parameter": {"/backend/data/gateway/engage", `{"cancelData":{}}`, 400},
		"not JSON":            {"/backend/data/gateway/noengage", "cancelData=oops", 400},
		"no such service":     {"/elsewhere", `{}`, 404},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.status, post(t, base+test.path, name, test.body)) })
	}
}

func TestLedgerRecordsEveryArrival(t *testing.T) {
	receivers := listen(t)
	post(t, receivers.URL(demo.ReceiverCRM)+"/calls/1?seq=2", "one", "body")
	require.Equal(t, []demo.Arrival{{
		ID: "one", Key: "one", Endpoint: "crm /calls/1?seq=2", Method: "POST", Body: demo.DigestOf([]byte("body")), Status: 200,
	}}, receivers.Ledger.Arrivals())
}
