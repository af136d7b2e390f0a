package gws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

var receivedDate = regexp.MustCompile(`^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}\+0000$`)

// always are the fields that every resource has, besides callType, chatType ….
var always = []string{"id", "uri", "path", "state", "capabilities", "userData", "participants", "receivedDate"}

// sometimes are those that a resource may have, and alone those of one medium.
var (
	sometimes = []string{"assignedTo", "queue", "disposition", "comment", "parentInteractionId"}
	alone     = map[medium][]string{mediumCall: {"ani", "dnis", "callUuid"}, mediumEmail: {"subject", "from", "to"}, mediumOpenmedia: {"mediaType"}}
)

// checkResource returns what is wrong with a resource that an agent is shown. names are the names of which one must
// be its state (nil for any), capabilities what it must have, sorted.
func (l look) checkResource(resource map[string]any, names, capabilities []string) error {
	wrong := []error{l.checkFields(resource)}
	differ := func(field string, want any) {
		if got := resource[field]; !reflect.DeepEqual(asJSON(got), asJSON(want)) {
			wrong = append(wrong, fmt.Errorf("%s is %s and should be %s", field, text(got), text(want)))
		}
	}
	differ("id", l.ID)
	if state, _ := resource["state"].(string); names != nil && !slices.Contains(names, state) {
		wrong = append(wrong, fmt.Errorf("state is %q and should be one of %q", state, names))
	}
	if got := sorted(resource["capabilities"]); !slices.Equal(got, capabilities) {
		wrong = append(wrong, fmt.Errorf("capabilities are %q and should be %q", got, capabilities))
	}
	differ("userData", l.UserData)
	differ(l.medium.name+"Type", map[string]string{"inbound": "Inbound", "outbound": "Outbound"}[l.Direction])
	optional := func(field, want string) {
		if want == "" {
			differ(field, nil)
			return
		}
		differ(field, want)
	}
	optional("queue", l.Queue)
	optional("comment", l.Comment)
	optional("parentInteractionId", l.Parent)
	if l.owner() != "" || resource["assignedTo"] != nil {
		differ("assignedTo", l.owner())
	}
	if (l.Disposition != nil) != (resource["disposition"] != nil) {
		wrong = append(wrong, fmt.Errorf("disposition is %s", text(resource["disposition"])))
	}
	switch l.medium {
	case mediumCall:
		optional("ani", l.ANI)
		optional("dnis", l.DNIS)
	case mediumOpenmedia:
		differ("mediaType", l.Channel)
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("resource for %q: %w: %s", l.agent, err, text(resource))
	}
	return nil
}

// checkFields checks which fields there are, and the form of those that the twin does not know.
func (l look) checkFields(resource map[string]any) error {
	var wrong []error
	required := append([]string{l.medium.name + "Type"}, always...)
	for _, name := range required {
		if _, there := resource[name]; !there {
			wrong = append(wrong, fmt.Errorf("%s is missing", name))
		}
	}
	for name := range resource {
		if !slices.Contains(slices.Concat(required, sometimes, alone[l.medium]), name) {
			wrong = append(wrong, fmt.Errorf("%s is not documented", name))
		}
	}
	uri, _ := resource["uri"].(string)
	path, _ := resource["path"].(string)
	if uri != base+"/api/v2"+path || !strings.HasSuffix(path, "/"+l.ID) {
		wrong = append(wrong, fmt.Errorf("uri is %q, path is %q", uri, path))
	}
	if at, _ := resource["receivedDate"].(string); !receivedDate.MatchString(at) {
		wrong = append(wrong, fmt.Errorf("receivedDate is %q", at))
	}
	if _, isList := resource["participants"].([]any); !isList {
		wrong = append(wrong, errors.New("participants is no list"))
	}
	return errors.Join(wrong...)
}

// asJSON returns a value as JSON has it.
func asJSON(value any) any {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var parsed any
	if err := json.Unmarshal(encoded, &parsed); err != nil {
		panic(err)
	}
	return parsed
}

func text(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// sorted returns a list of texts, sorted.
func sorted(value any) []string {
	list := []string{}
	values, _ := value.([]any)
	for _, v := range values {
		name, _ := v.(string)
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// checkReads compares what callers read of an interaction with the twin.
func (t *twin) checkReads(id string, callers ...caller) error {
	var wrong []error
	for _, c := range callers {
		if err := t.checkRead(id, c); err != nil {
			wrong = append(wrong, fmt.Errorf("GET of %s by %s: %w", id, c.name, err))
		}
	}
	return errors.Join(wrong...)
}

func (t *twin) checkRead(id string, c caller) error {
	a, err := c.send("GET", "/api/v2/interactions/"+id, "")
	if err != nil {
		return err
	}
	if c.isAgent() && t.Completed() && !slices.Contains(t.Involved(), c.name) {
		return a.check(verdict{status: 404, code: 6}, "GET", nil)
	}
	l := t.seenBy(c.agent())
	resource, _ := a.Body["interaction"].(map[string]any)
	if a.Status != 200 || a.code() != 0 || resource == nil {
		return fmt.Errorf("%d %s", a.Status, a.Raw)
	}
	return l.checkResource(resource, l.shownNames(), l.shownCapabilities())
}

// agent is the agent whom a resource is for: the caller, if it is one.
func (c caller) agent() string {
	if c.isAgent() {
		return c.name
	}
	return ""
}

// checkList compares the caller's own list, and the list of all, with the twin: right after an answer.
func (t *twin) checkList(id string, c caller) error {
	l := t.seenBy(c.agent())
	own, err := c.send("GET", "/api/v2/me/interactions?fields=*", "")
	if err != nil {
		return err
	}
	if err := l.checkIn(own, l.part() != partNone); err != nil {
		return fmt.Errorf("the list of %s: %w", c.name, err)
	}
	media, err := c.send("GET", "/api/v2/me/"+l.medium.plural+"?fields=*", "")
	if err != nil {
		return err
	}
	media.Body["interactions"] = media.Body[l.medium.plural]
	if err := l.checkIn(media, l.part() != partNone); err != nil {
		return fmt.Errorf("the %s of %s: %w", l.medium.plural, c.name, err)
	}
	return nil
}

// checkIn checks whether an interaction is in a list, and how.
func (l look) checkIn(list answer, isThere bool) error {
	elements, isList := list.Body["interactions"].([]any)
	if list.Status != 200 || list.code() != 0 || !isList {
		return fmt.Errorf("%d %.300s", list.Status, list.Raw)
	}
	var found []map[string]any
	for _, element := range elements {
		if fields, _ := element.(map[string]any); fields["id"] == l.ID {
			found = append(found, fields)
		}
	}
	switch {
	case !isThere && len(found) > 0:
		return fmt.Errorf("%s is in it: %s", l.ID, text(found))
	case isThere && len(found) != 1:
		return fmt.Errorf("%s is %d times in it", l.ID, len(found))
	case isThere:
		return l.checkResource(found[0], l.shownNames(), l.shownCapabilities())
	}
	return nil
}

// check compares an answer with the verdict: its status, and its body in both styles. reference is what
// the request had.
func (a answer) check(v verdict, operation string, reference any) error {
	want := map[string]any{"statusCode": v.code, "status": "ok"}
	switch {
	case v.code == 0 && operation == "Cancel":
		want["status"] = 0
	case v.code != 0:
		message, _ := a.Body["statusMessage"].(string)
		want["status"], want["statusMessage"], want["errorDescription"] = "error", message, message
		if message == "" {
			return fmt.Errorf("no statusMessage, and should be %d %d: %d %s", v.status, v.code, a.Status, a.Raw)
		}
	}
	got := map[string]any{}
	for name, value := range a.Body {
		got[name] = value
	}
	if given, there := got["referenceId"]; there && (v.status == 200) {
		if reference != nil && !reflect.DeepEqual(asJSON(given), asJSON(reference)) {
			return fmt.Errorf("referenceId is not %v: %s", reference, a.Raw)
		}
		delete(got, "referenceId")
	} else if reference != nil && v.code == 0 {
		return fmt.Errorf("there is no referenceId: %s", a.Raw)
	}
	if a.Status != v.status || !reflect.DeepEqual(asJSON(got), asJSON(want)) {
		return fmt.Errorf("want %d %s, got %d %s", v.status, text(want), a.Status, a.Raw)
	}
	if kind := a.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return fmt.Errorf("the answer is %q", kind)
	}
	return nil
}
