package platform

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"segue/gateway/problem"
)

// route describes one route.
type route struct {
	id, method, path, tag string
	summary, about        string
	// status is the usual answer, and also further ones with the same body.
	status int
	also   map[int]string
	// problems are the types of problems that the route answers, besides those of every route.
	problems []string
	// body documents the body of a request, which the route reads by itself.
	body *huma.Schema
	// example is an example of the body.
	example any
	// keyed routes have an idempotency key in every answer.
	keyed bool
	// streams is set for routes whose answers last: they have no deadline.
	streams bool
}

// ofEveryRoute are the problems that every route may answer.
var ofEveryRoute = []string{
	problem.Malformed, problem.ContactCenterRequired, problem.Unauthenticated, problem.NotPermitted, problem.InvalidPayload,
	problem.RateLimited, problem.Internal, problem.Unavailable, problem.Timeout,
}

// register adds a route to the API and its document.
func register[I, O any](a *api, r route, handler func(context.Context, *I) (*O, error)) {
	operation := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Tags: []string{r.tag}, Summary: r.summary, Description: r.about,
		DefaultStatus: r.status, Responses: map[string]*huma.Response{},
		RejectUnknownQueryParameters: true,
	}
	arrays := map[string]bool{}
	operation.Middlewares = append(operation.Middlewares, oncePerParameter(arrays))
	if !r.streams {
		operation.Middlewares = append(operation.Middlewares, a.withinDeadline)
	}
	if r.keyed {
		operation.Middlewares = append(operation.Middlewares, withKey)
	}
	for status, kinds := range byStatus(slices.Concat(ofEveryRoute, r.problems)) {
		operation.Responses[strconv.Itoa(status)] = a.problemResponse(r.keyed, status, kinds)
	}
	huma.Register(a.huma, operation, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, a.failed(ctx, err)
		}
		return out, nil
	})
	for _, parameter := range registered(a, r).Parameters {
		arrays[parameter.Name] = parameter.In == "query" && parameter.Schema.Type == huma.TypeArray
	}
	r.complete(registered(a, r))
}

// oncePerParameter refuses a parameter of the query that is given again, unless it is one of arrays: all
// values but one would be ignored. An empty value among several would be, too.
func oncePerParameter(arrays map[string]bool) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		address := ctx.URL()
		query := address.Query()
		for _, name := range slices.Sorted(maps.Keys(query)) {
			values := query[name]
			if len(values) > 1 && (!arrays[name] || slices.Contains(values, "")) {
				detail := name + ": is given more than once; give one value"
				if arrays[name] {
					detail = name + ": one of the values is empty; leave it out"
				}
				_, w := humago.Unwrap(ctx)
				problem.Write(w, problem.Of(invalidAt("/query/"+name, detail)))
				return
			}
		}
		next(ctx)
	}
}

// registered returns the operation that huma has documented.
func registered(a *api, r route) *huma.Operation {
	item := a.huma.OpenAPI().Paths[r.path]
	switch r.method {
	case http.MethodPost:
		return item.Post
	case http.MethodDelete:
		return item.Delete
	}
	return item.Get
}

// complete documents what the route does by itself, and huma must not do as well.
func (r route) complete(o *huma.Operation) {
	if r.body != nil {
		o.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: r.body, Example: r.example}}}
	}
	usual := o.Responses[strconv.Itoa(r.status)]
	for status, about := range r.also {
		response := *usual
		response.Description = about
		if status == http.StatusNotModified {
			response.Content = nil
		}
		o.Responses[strconv.Itoa(status)] = &response
	}
	for _, response := range o.Responses {
		if response.Ref == "" {
			response.Headers = r.headers(response.Headers)
		}
	}
}

// headers adds the headers of every answer to a response's own.
func (r route) headers(own map[string]*huma.Param) map[string]*huma.Param {
	headers := map[string]*huma.Param{"Segue-Request-Id": {Description: "The id of the request, also in the log.", Schema: &huma.Schema{Type: "string"}}}
	if r.keyed {
		headers[keyHeader] = &huma.Param{Description: "The key of the command: repeat with it.", Schema: &huma.Schema{Type: "string"}}
	}
	maps.Copy(headers, own)
	return headers
}

// byStatus groups types of problems by their status.
func byStatus(kinds []string) map[int][]string {
	grouped := map[int][]string{}
	for _, kind := range kinds {
		status := problem.New(kind, "").Status
		if !slices.Contains(grouped[status], kind) {
			grouped[status] = append(grouped[status], kind)
		}
	}
	return grouped
}

// problemResponse returns a reference to the response with these problems, which routes share.
func (a *api) problemResponse(keyed bool, status int, kinds []string) *huma.Response {
	slices.Sort(kinds)
	var name strings.Builder
	for _, kind := range kinds {
		name.WriteString(pascal(strings.ReplaceAll(kind, "-", "_")))
	}
	if keyed {
		name.WriteString("OfCommand")
	}
	components := a.huma.OpenAPI().Components
	if components.Responses == nil {
		components.Responses = map[string]*huma.Response{}
	}
	if components.Responses[name.String()] == nil {
		response := problemsWith(status, kinds)
		response.Headers = route{keyed: keyed}.headers(response.Headers)
		components.Responses[name.String()] = response
	}
	return &huma.Response{Ref: "#/components/responses/" + name.String()}
}

func problemsWith(status int, kinds []string) *huma.Response {
	examples := map[string]*huma.Example{}
	for _, kind := range kinds {
		examples[kind] = &huma.Example{Value: exampleOf(kind)}
	}
	response := &huma.Response{
		Description: http.StatusText(status),
		Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}, Examples: examples},
		},
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		response.Headers = map[string]*huma.Param{
			"Retry-After": {Description: "How many seconds to wait before a repeat.", Schema: &huma.Schema{Type: "integer"}},
		}
	}
	return response
}

// withinDeadline bounds how long a request waits for Temporal.
func (a *api) withinDeadline(ctx huma.Context, next func(huma.Context)) {
	limited, cancel := context.WithTimeout(ctx.Context(), a.Deadline)
	defer cancel()
	next(huma.WithContext(ctx, limited))
}

type madeKeyOf struct{}

// withKey gives every answer an idempotency key: that of the request, or one that is made for it.
func withKey(ctx huma.Context, next func(huma.Context)) {
	made := madeKey()
	key := ctx.Header(keyHeader)
	if key == "" {
		key = made
	}
	ctx.SetHeader(keyHeader, key)
	next(huma.WithValue(ctx, madeKeyOf{}, made))
}

// madeKeyIn returns the key that withKey has made for the request.
func madeKeyIn(ctx huma.Context) string {
	made, _ := ctx.Context().Value(madeKeyOf{}).(string)
	return made
}
