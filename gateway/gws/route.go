package gws

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strings"

	"segue/gateway/auth"
	"segue/gateway/problem"
)

// handler answers one request: with a value that is written as JSON, or with an error: a refusal, a
// problem, or an error of the packages that it asks. An answer that is nil is written already.
type handler func(q *request) (any, error)

// get, post and put register a handler for a path after Prefix, which may have {wildcards}; get for
// HEAD, too. Under /me the caller is an agent, or is refused. A path with {id} is of one object:
// an object of another contact center does not exist, and a list of another one is not permitted.
func (f *face) get(path string, h handler)  { f.handle(http.MethodGet, path, h) }
func (f *face) post(path string, h handler) { f.handle(http.MethodPost, path, h) }
func (f *face) put(path string, h handler)  { f.handle(http.MethodPut, path, h) }

func (f *face) handle(method, path string, h handler) {
	isMine := path == "/me" || strings.HasPrefix(path, "/me/")
	isObject := strings.Contains(path, "{id}")
	f.mux.HandleFunc(method+" "+Prefix+path, func(w http.ResponseWriter, r *http.Request) {
		limited, cancel := context.WithTimeout(r.Context(), f.Deadline)
		defer cancel()
		q := &request{Request: r.WithContext(limited), writer: w, caller: auth.From(r.Context()), isMine: isMine}
		answer, err := f.answer(q, h, isObject)
		switch {
		case err != nil:
			f.fail(q, err)
		case answer != nil:
			write(w, http.StatusOK, answer)
		}
	})
}

// answer prepares a request in the order in which its faults are answered, and handles it.
func (f *face) answer(q *request, h handler, isObject bool) (any, error) {
	if q.isMine && q.agent() == "" {
		return nil, problem.New(problem.NotPermitted, "/me is for agents; use a credential that has an agent")
	}
	if q.Method == http.MethodPost || q.Method == http.MethodPut {
		if err := f.read(q); err != nil {
			return nil, err
		}
	}
	if err := q.inContactCenter(isObject); err != nil {
		return nil, err
	}
	q.base = BaseOf(f.Settings().PublicURL, q.Request)
	return h(q)
}

// fail answers a request with an error. One without a type of its own is logged: the caller sees that
// something is wrong here, and nothing else.
func (f *face) fail(q *request, err error) {
	var refused *refusal
	if errors.As(err, &refused) {
		writeFailed(q.writer, http.StatusOK, refused.code, refused.message)
		return
	}
	p := problem.Of(err)
	if p.Type == problem.Internal {
		f.Log.ErrorContext(q.Context(), "a request failed", "error", err)
	}
	var own *problem.Problem
	if p.Type == problem.Unavailable && !errors.As(err, &own) {
		p.Detail = unanswered(q.Method)
	}
	Refuse(q.writer, q.Request, p)
}

// unanswered says what to do after a request that Temporal or the workers did not answer. GWS has no key
// to repeat a request with.
func unanswered(method string) string {
	if method == http.MethodGet || method == http.MethodHead {
		return "There was no answer in time. Send the request again later."
	}
	return "There was no answer in time, so the outcome is open. Read the interaction before you send the request again."
}

// ServeHTTP answers unknown paths and wrong methods, and all other requests by their routes. Slashes
// at the end of a path do not count.
func (f *face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	inner := trimmed(r)
	route, pattern := f.mux.Handler(inner)
	// A path that is not clean would be redirected, which clients of an API do not follow.
	isClean := path.Clean(inner.URL.EscapedPath()) == inner.URL.EscapedPath()
	switch {
	case auth.From(r.Context()) == nil:
		Refuse(w, r, problem.New(problem.Unauthenticated, ""))
	case !isClean:
		Refuse(w, r, noPath())
	case pattern == "":
		unrouted(w, inner, route)
	case auth.Repeated(r) != "":
		Refuse(w, r, problem.New(problem.Malformed, auth.Repeated(r)+" is given more than once; send it once"))
	default:
		r.Pattern = pattern // for the access log, which has the outer request
		f.mux.ServeHTTP(w, inner)
	}
}

// trimmed returns the request without slashes at the end of its path.
func trimmed(r *http.Request) *http.Request {
	if !strings.HasSuffix(r.URL.Path, "/") {
		return r
	}
	inner, address := new(http.Request), *r.URL
	*inner = *r
	address.Path = strings.TrimRight(r.URL.Path, "/")
	address.RawPath = strings.TrimRight(r.URL.RawPath, "/")
	inner.URL = &address
	return inner
}

func noPath() *problem.Problem {
	return problem.New(problem.NotFound, "no such path; see the documentation of the Interactions API")
}

// unrouted answers a request without a route: with 405 and Allow if another method has one, else with 404.
func unrouted(w http.ResponseWriter, r *http.Request, route http.Handler) {
	allowed := problem.Methods(r, route)
	if allowed == "" {
		Refuse(w, r, noPath())
		return
	}
	w.Header().Set("Allow", allowed)
	Refuse(w, r, problem.New(problem.MethodNotAllowed, "the path has no method "+method(r)+"; use one of "+allowed))
}

// method returns the method of a request for a message: a client may send any word.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return r.Method
	}
	return "of this name"
}
