package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The receivers of the demo, by name.
const (
	ReceiverCRM        = "crm"
	ReceiverFlaky      = "flaky"
	ReceiverEngagement = "engagement"
)

const (
	// FlakyFailures is the number of 503 responses before each 200 of the flaky receiver.
	FlakyFailures = 2
	// RefusedVisitor is the prefix of the visitIDs that the engagement backend refuses.
	RefusedVisitor = "refuse-"

	bodyLimit = 1 << 20
)

// Receivers are three HTTP servers on the loopback interface: a CRM that answers 200, a receiver that answers 503 twice
// before each 200, and a web-engagement backend that refuses some visitors with 400, as GWE documents it. All record
// their arrivals in Ledger.
type Receivers struct {
	Ledger  *Ledger
	servers map[string]*http.Server
	urls    map[string]string
}

// Listen starts the receivers, each on a free port.
func Listen() (*Receivers, error) {
	r := &Receivers{Ledger: NewLedger(), servers: map[string]*http.Server{}, urls: map[string]string{}}
	for name, answer := range map[string]answer{
		ReceiverCRM: healthy, ReceiverFlaky: flaky, ReceiverEngagement: engagement,
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("receiver %s: %w", name, err), r.Close())
		}
		server := &http.Server{Handler: r.handler(name, answer), ReadHeaderTimeout: 10 * time.Second}
		r.servers[name] = server
		r.urls[name] = "http://" + listener.Addr().String()
		go server.Serve(listener) //nolint:errcheck // it ends with Close
	}
	return r, nil
}

// URL returns the address of a receiver as a URL without a path.
func (r *Receivers) URL(name string) string { return r.urls[name] }

// Close stops the receivers after the requests in flight, or after 2 s.
func (r *Receivers) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var errs []error
	for _, server := range r.servers {
		errs = append(errs, server.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

// answer returns a receiver's response to a request. attempt is 1 for the first arrival of the delivery.
type answer func(attempt int, path string, body []byte) (status int, text string)

func (r *Receivers) handler(name string, answer answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(io.LimitReader(request.Body, bodyLimit))
		if err != nil {
			return // the sender has died: the request is incomplete
		}
		var text string
		status := r.Ledger.Record(Arrival{
			ID:       request.Header.Get("webhook-id"),
			Key:      request.Header.Get("Idempotency-Key"),
			Endpoint: name + " " + request.URL.RequestURI(),
			Method:   request.Method,
			Body:     DigestOf(body),
		}, func(attempt int) (status int) {
			status, text = answer(attempt, request.URL.Path, body)
			return status
		})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, text+"\n") //nolint:errcheck // the sender may have died
	})
}

func healthy(int, string, []byte) (int, string) { return http.StatusOK, `{"status":"ok"}` }

func flaky(attempt int, _ string, _ []byte) (int, string) {
	if attempt <= FlakyFailures {
		return http.StatusServiceUnavailable, `{"error":"temporarily unavailable"}`
	}
	return http.StatusOK, `{"status":"ok"}`
}

// engagement answers as the Engagement REST API does: 200, or 400 with an error text.
func engagement(_ int, path string, body []byte) (int, string) {
	parameter := "ixnProfile"
	switch {
	case strings.HasSuffix(path, "/data/gateway/engage"):
	case strings.HasSuffix(path, "/data/gateway/noengage"):
		parameter = "cancelData"
	default:
		return http.StatusNotFound, `{"error":"no such service"}`
	}
	data, err := parameterOf(body, parameter)
	switch {
	case err != nil:
		return http.StatusBadRequest, fmt.Sprintf(`{"error":%q}`, err)
	case Refuses(data):
		return http.StatusBadRequest, `{"error":"the visitor is not to be engaged"}`
	}
	return http.StatusOK, `{"status":"ok"}`
}

// parameterOf reads a parameter as the backend accepts it: a field of a JSON body, or a form field that contains a JSON
// object.
func parameterOf(body []byte, name string) (map[string]any, error) {
	var object map[string]map[string]any
	if json.Unmarshal(body, &object) == nil && object[name] != nil {
		return object[name], nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get(name) == "" {
		return nil, fmt.Errorf("parameter %s is missing", name)
	}
	var data map[string]any
	if json.Unmarshal([]byte(form.Get(name)), &data) != nil || data == nil {
		return nil, fmt.Errorf("parameter %s is not a JSON object", name)
	}
	return data, nil
}

// Refuses reports whether the engagement backend refuses this visitor.
func Refuses(data map[string]any) bool {
	visitor, _ := data["visitID"].(string)
	return strings.HasPrefix(visitor, RefusedVisitor)
}
