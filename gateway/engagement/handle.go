package engagement

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"segue/client"
	"segue/contract"
	"segue/gateway/auth"
	"segue/gateway/problem"
	"segue/interaction"
)

// handle serves engage or noengage.
func (f *Face) handle(k kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			Refuse(w, r, problem.New(problem.MethodNotAllowed, "use POST"))
			return
		}
		answer, err := f.serve(w, r, k)
		if err != nil {
			f.refuse(w, r, err)
			return
		}
		write(w, http.StatusOK, answer)
	}
}

func (f *Face) serve(w http.ResponseWriter, r *http.Request, k kind) (*answer, error) {
	caller := auth.From(r.Context())
	if caller == nil {
		return nil, problem.New(problem.Unauthenticated, "")
	}
	if caller.Role != interaction.RolePlatform {
		return nil, problem.New(problem.NotPermitted, "engage and noengage are for the role platform")
	}
	ctx, cancel := context.WithTimeout(r.Context(), f.Deadline)
	defer cancel()
	q, unreadable := read(w, r, k)
	if own, err := f.ofOwn(ctx, attemptOf(r), q); own != nil || err != nil {
		return own, err
	}
	if unreadable != nil {
		return nil, unreadable
	}
	return f.do(ctx, q)
}

// tries is how often a request is decided: what else happens to the interaction meanwhile may change the
// decision.
const tries = 6

// do decides what a request does, and does it.
func (f *Face) do(ctx context.Context, q *request) (*answer, error) {
	var failure error
	tried := ""
	for try := range tries {
		state, err := f.state(ctx, q.name)
		if err != nil && isOvertaken(err) && try < tries-1 { // it did not exist, and meanwhile another request has started it
			pause(ctx)
			continue
		}
		if err != nil {
			return nil, err
		}
		if isClosed(failure, tried, state) {
			state.State = interaction.StateCompleted
		}
		does := q.effectOf(state, f.Now())
		if q.key != "" && state != nil && (does == refuse || state.State == interaction.StateCompleted) {
			if known, err := f.send(ctx, q, state); err == nil || !isOvertaken(err) {
				return known, err
			}
		}
		var done *answer
		switch does {
		case repeat:
			return answerOf(q, state, true), nil
		case refuse:
			return nil, notNow(q, state)
		case command:
			tried = state.RunID
			done, failure = f.send(ctx, q, state)
		case start:
			done, failure = f.start(ctx, q, state)
		}
		if failure == nil || !isOvertaken(failure) {
			return done, failure
		}
		pause(ctx)
	}
	return nil, undecided(failure)
}

// ofOwn returns the answer of a callback that Segue itself has sent here: nothing is to be done, however late the callback
// is, for the attempt was opened here. It returns nil for all other requests, also for callbacks of another Segue. The
// profile of an attempt that the platform opened may have no id, and the credential may be of another contact center:
// then there is no request, or another contact center's, and the answer has nothing of the interaction.
func (f *Face) ofOwn(ctx context.Context, a *contract.EngagementAttempt, q *request) (*answer, error) {
	if a == nil {
		return nil, nil
	}
	name := client.Name{ContactCenter: a.ContactCenter, ID: a.Interaction}
	if name.Check() != nil {
		return nil, nil
	}
	isOwn, err := f.HasRun(ctx, name, a.FirstRunID)
	if err != nil || !isOwn {
		return nil, err
	}
	if q == nil {
		return ownAnswer(name.ID)
	}
	if q.name.ContactCenter != name.ContactCenter {
		return answerOf(q, &contract.State{}, true), nil
	}
	state, err := f.state(ctx, name)
	if err != nil {
		return nil, err
	}
	if state == nil {
		state = &contract.State{} // Temporal has just dropped it
	}
	return answerOf(q, state, true), nil
}

func ownAnswer(id string) (*answer, error) {
	encoded, err := json.Marshal(id)
	return &answer{Status: statusOK, IxnID: encoded, Duplicate: true}, err
}

// pause is before the next decision: what has overtaken this one may still be under way.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(triesPause):
	}
}

const triesPause = 50 * time.Millisecond

// isClosed reports whether Temporal has closed the run that was just sent a command, although its state does not say so: an
// operator has terminated it. Nothing that comes would ever change that state.
func isClosed(failure error, tried string, s *contract.State) bool {
	return s != nil && s.RunID == tried && tried != "" && s.State != interaction.StateCompleted && errors.Is(failure, client.ErrCompleted)
}

// undecided returns the problem of a request that something has overtaken each time. It is not a refusal,
// which would be final.
func undecided(last error) error {
	p := problem.New(problem.Unavailable, "The interaction changes at present; send the request again: "+problem.Of(last).Detail)
	p.RetryAfter = time.Second
	return p
}

// isOvertaken reports whether an error is due to what happened after the decision.
func isOvertaken(err error) bool {
	var exists *client.ExistsError
	var refused *client.RefusedError
	return errors.As(err, &exists) || errors.Is(err, client.ErrCompleted) || errors.Is(err, client.ErrNotFound) ||
		errors.As(err, &refused) && (refused.Why == interaction.WhyState || refused.Why == interaction.WhyNeeds)
}

// send gives the command to an interaction.
func (f *Face) send(ctx context.Context, q *request, s *contract.State) (*answer, error) {
	payload, err := q.payload(s)
	if err != nil {
		return nil, err
	}
	given, err := f.Sender.Send(ctx, q.name, q.command, payload)
	if err != nil {
		return nil, err
	}
	f.Index.Answered(q.name, given.RunID, given.Revision)
	return f.after(ctx, q, given.Answer)
}

// start starts the interaction with the command: neither is without the other, also if this process or
// the worker ends at any moment.
func (f *Face) start(ctx context.Context, q *request, s *contract.State) (*answer, error) {
	payload, err := q.payload(s)
	if err != nil {
		return nil, err
	}
	opening, err := q.opening(s)
	if err != nil {
		return nil, err
	}
	started, err := f.Sender.Start(ctx, q.name, opening, []json.RawMessage{payload})
	if err != nil {
		return nil, err
	}
	result := started.Results[0]
	if result.Err != nil {
		return nil, result.Err
	}
	f.Index.Answered(q.name, result.Answer.RunID, result.Answer.Revision)
	return f.after(ctx, q, result.Answer.Answer)
}

// after returns the answer for a command that was applied. The answer of an engage has its attempt; whatever
// is not in the answer, the interaction is asked for.
func (f *Face) after(ctx context.Context, q *request, given contract.Answer) (*answer, error) {
	if !given.Duplicate && given.Attempt > 0 {
		return &answer{Status: statusOK, IxnID: q.ixnID, State: string(given.State), Attempt: given.Attempt}, nil
	}
	state, err := f.state(ctx, q.name)
	if err != nil || state == nil {
		// It was done; only the details are missing.
		return &answer{Status: statusOK, IxnID: q.ixnID, State: string(given.State), Duplicate: given.Duplicate}, nil //nolint:nilerr // see above
	}
	return answerOf(q, state, given.Duplicate), nil
}

func attemptsOf(s *contract.State) int {
	if s == nil || s.Engagement == nil {
		return 0
	}
	return s.Engagement.Attempts
}

// payload returns the command. A malformed one must not start anything.
func (q *request) payload(s *contract.State) (json.RawMessage, error) {
	payload, err := json.Marshal(map[string]any{"command": q.command, "event_id": q.eventID(s), q.parameter: q.object})
	if err != nil {
		return nil, err
	}
	if _, err := interaction.Decode(q.command, payload); err != nil {
		return nil, client.Malformed(err)
	}
	return payload, q.checkQueue()
}

// checkQueue refuses a queue into which an accepted invitation could not lead.
func (q *request) checkQueue() error {
	queue, ok := q.fields["queue"].(string)
	if q.kind == noengage || !ok || queue == "" {
		return nil
	}
	accepts, err := json.Marshal(map[string]any{"result": accepted, "queue": queue})
	if err != nil {
		return err
	}
	if _, err := interaction.Decode("engagement_result", accepts); err != nil {
		return client.Malformed(err)
	}
	return nil
}

// userDataKeys are the keys of a profile that GWE attaches to the interaction as user data.
var userDataKeys = []string{"visitID", "visitId", "pageID", "pageId", "languageCode", "timezoneOffset", "engagement_type", "jsonEvent"}

// opening returns the start of the interaction of a visit.
func (q *request) opening(s *contract.State) (json.RawMessage, error) {
	start := map[string]any{
		"id": q.name.ID, "contact_center": q.name.ContactCenter, "channel": interaction.ChannelWeb, "reopen": q.byVisit,
		"event_id": startID(q.eventID(s)),
	}
	data := map[string]any{}
	for _, key := range userDataKeys {
		if value, given := q.fields[key]; given && value != nil {
			data[key] = value
		}
	}
	if len(data) > 0 {
		start["user_data"] = data
	}
	return json.Marshal(start)
}

// eventID returns the identity of the request: the Idempotency-Key, else a hash of the contact center, the
// request and the attempts so far. The attempts of an interaction that starts again begin again, so the
// run that has ended counts, too.
func (q *request) eventID(s *contract.State) string {
	if q.key != "" {
		return q.key
	}
	run := ""
	if s != nil && s.State == interaction.StateCompleted {
		run = s.RunID
	}
	return digest("gwe-", q.name.ContactCenter, q.name.ID, q.command, string(q.canonical), fmt.Sprint(attemptsOf(s)), run)
}

// startID returns the identity of the start that goes with a command. It is that of the start alone: a
// repeat of the command must be found whether or not it started the interaction.
func startID(eventID string) string { return digest("gwe-start-", eventID) }

func digest(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// state returns the state of an interaction; nil for one that does not exist.
func (f *Face) state(ctx context.Context, n client.Name) (*contract.State, error) {
	state, err := f.Index.Query(ctx, n, nil)
	if errors.Is(err, client.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &state, nil
}

// notNow returns the refusal of a request that the interaction's state does not allow.
func notNow(q *request, s *contract.State) error {
	why := "the interaction is " + string(s.State)
	if s.State == interaction.StateStarted {
		why = "the visitor has accepted the invitation"
	}
	p := problem.New(problem.IllegalCommand, q.command+" is not possible: "+why)
	if s.Outcome != "" {
		p.Detail += " (" + string(s.Outcome) + ")"
	}
	p.Command, p.State = q.command, string(s.State)
	return p
}
