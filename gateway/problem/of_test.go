package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/client"
	"segue/contract"
	"segue/gateway/problem"
	"segue/interaction"
)

func refused(kind string, why interaction.Why, field, message string) error {
	return fmt.Errorf("sending: %w", &client.RefusedError{
		Type: kind, Message: message,
		Refusal: contract.Refusal{Why: why, Field: field, State: "queued", Legal: []string{"accept"}},
	})
}

func TestEveryErrorHasItsProblem(t *testing.T) {
	name := client.Name{ContactCenter: "cc", ID: "i1"}
	ended := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	last := &contract.State{}
	last.Outcome, last.EndedAt = "handled", &ended
	illegal, invalid := contract.ErrorIllegalCommand, contract.ErrorInvalidPayload
	for title, test := range map[string]struct {
		err    error
		kind   string
		status int
	}{
		"state":            {refused(illegal, interaction.WhyState, "", "hold is not legal in state queued"), problem.IllegalCommand, 409},
		"needs":            {refused(illegal, interaction.WhyNeeds, "", "hold is not legal"), problem.IllegalCommand, 409},
		"order":            {refused(illegal, interaction.WhyOrder, "", "late"), problem.OutOfOrder, 409},
		"agent":            {refused(illegal, interaction.WhyAgent, "", "not yours"), problem.NotPermitted, 403},
		"role":             {refused(illegal, interaction.WhyRole, "", "no agent"), problem.NotPermitted, 403},
		"missing":          {refused(invalid, interaction.WhyMissing, "digits", "is missing"), problem.InvalidPayload, 422},
		"invalid":          {refused(invalid, interaction.WhyInvalid, "digits", "no"), problem.InvalidPayload, 422},
		"large field":      {refused(invalid, interaction.WhyTooLarge, "digits", "no"), problem.InvalidPayload, 422},
		"large payload":    {refused(invalid, interaction.WhyTooLarge, "", "no"), problem.TooLarge, 413},
		"unknown":          {refused(invalid, interaction.WhyUnknown, "", "acept: no such command"), problem.UnknownCommand, 404},
		"old worker":       {refused(illegal, "", "", "no"), problem.IllegalCommand, 409},
		"old invalid":      {refused(invalid, "", "", "no"), problem.InvalidPayload, 422},
		"overloaded":       {refused(contract.ErrorOverloaded, "", "", "later"), problem.Overloaded, 429},
		"undecoded":        {&interaction.InvalidError{Command: "dtmf", Field: "digits", Reason: "is missing"}, problem.InvalidPayload, 422},
		"not found":        {fmt.Errorf("i1 %w", client.ErrNotFound), problem.NotFound, 404},
		"completed":        {fmt.Errorf("x: %w", &client.CompletedError{Name: name, Last: last}), problem.Completed, 409},
		"terminated":       {&client.CompletedError{Name: name}, problem.Completed, 409},
		"closed lane":      {client.ErrCompleted, problem.Completed, 409},
		"exists":           {&client.ExistsError{Name: name, RunID: "r"}, problem.AlreadyExists, 409},
		"unreachable":      {fmt.Errorf("%w: dial tcp 10.0.0.7:7233", client.ErrUnreachable), problem.Unavailable, 503},
		"no worker":        {fmt.Errorf("i1: %w on task queue segue", client.ErrNoWorker), problem.Unavailable, 503},
		"deadline":         {context.DeadlineExceeded, problem.Unavailable, 503},
		"stuck":            {fmt.Errorf("i1: %w", client.ErrStuck), problem.Unavailable, 503},
		"body":             {&http.MaxBytesError{Limit: 7}, problem.TooLarge, 413},
		"slow body":        {fmt.Errorf("read: %w", os.ErrDeadlineExceeded), problem.Timeout, 408},
		"gone":             {fmt.Errorf("i1: %w", context.Canceled), problem.Canceled, 499},
		"syntax":           {json.Unmarshal([]byte(`{"a":tru}`), new(any)), problem.Malformed, 400},
		"cut off":          {io.ErrUnexpectedEOF, problem.Malformed, 400},
		"another type":     {json.Unmarshal([]byte(`{"a":7}`), &struct{ A string }{}), problem.Malformed, 400},
		"a problem itself": {fmt.Errorf("x: %w", problem.New(problem.NotParked, "")), problem.NotParked, 409},
		"anything else":    {errors.New("secret 10.0.0.7:7233"), problem.Internal, 500},
	} {
		t.Run(title, func(t *testing.T) {
			p := problem.Of(test.err)
			require.Equal(t, test.kind, p.Type)
			require.Equal(t, test.status, p.Status)
			require.NotEmpty(t, p.Title)
			require.NotContains(t, p.Detail, "7233")
			require.NotContains(t, p.Detail, "task queue")
			if p.Status == 503 || p.Status == 429 {
				require.GreaterOrEqual(t, p.RetryAfter, time.Second)
				require.LessOrEqual(t, p.RetryAfter, 30*time.Second)
			} else {
				require.Zero(t, p.RetryAfter)
			}
			if p.Status == 500 {
				require.Empty(t, p.Detail)
			}
		})
	}
}

func TestARefusalSaysWhatIsLegal(t *testing.T) {
	for _, why := range []interaction.Why{interaction.WhyState, interaction.WhyAgent} {
		p := problem.Of(refused(contract.ErrorIllegalCommand, why, "", "hold is not legal in state queued; legal: accept"))
		require.Equal(t, "hold", p.Command)
		require.Equal(t, "queued", p.State)
		require.Equal(t, []string{"accept"}, p.Legal)
		require.Equal(t, string(why), p.Why)
		require.Equal(t, "hold is not legal in state queued; legal: accept", p.Detail)
	}
	require.Empty(t, problem.Of(refused(contract.ErrorIllegalCommand, interaction.WhyState, "", "secret is not legal")).Command)
}

// The texts come from the domain itself.
func TestAnInvalidFieldHasItsPointer(t *testing.T) {
	for _, test := range []struct{ command, payload, pointer, detail string }{
		{"dtmf", `{}`, "/digits", "is missing; send the touch tones"},
		{"offer", `{"agents":[{"name":"x"}]}`, "/agents/0/id", "is missing"},
		{"hold", `{"a~b/c":1,"a~b/c":2}`, "/a~0b~1c", "the key occurs twice; send it once"},
		{"hold", `[`, "", "not JSON"},
	} {
		_, err := interaction.Decode(test.command, []byte(test.payload))
		p := problem.Of(err)
		require.Equal(t, test.command, p.Command)
		require.Equal(t, problem.InvalidPayload, p.Type)
		require.Len(t, p.Errors, 1)
		require.Equal(t, test.pointer, p.Errors[0].Pointer)
		require.Contains(t, p.Errors[0].Detail, test.detail)
		require.False(t, strings.HasPrefix(p.Errors[0].Detail, test.command))
	}
}

func TestAProblemOnTheWire(t *testing.T) {
	answer := httptest.NewRecorder()
	p := problem.New(problem.Unavailable, "later")
	p.RetryAfter = 1500 * time.Millisecond
	problem.Write(answer, p)
	require.Equal(t, 503, answer.Code)
	require.Equal(t, "2", answer.Header().Get("Retry-After"))
	require.Equal(t, "application/problem+json", answer.Header().Get("Content-Type"))
	require.JSONEq(t, `{"type":"urn:segue:unavailable","title":"Temporarily unavailable","status":503,"detail":"later"}`, answer.Body.String())
}

func TestAStatusHasAType(t *testing.T) {
	for status, kind := range map[int]string{
		400: problem.Malformed, 404: problem.NotFound, 405: problem.MethodNotAllowed, 408: problem.Timeout, 413: problem.TooLarge,
		415: problem.UnsupportedMediaType, 422: problem.InvalidPayload, 426: problem.Malformed, 500: problem.Internal, 503: problem.Unavailable,
	} {
		p := problem.OfStatus(status, "why")
		require.Equal(t, kind, p.Type, status)
		require.Equal(t, status, p.Status)
		require.Equal(t, "why", p.Detail)
	}
}
