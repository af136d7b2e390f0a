package engagement

import (
	"encoding/json"
	"strconv"
	"strings"

	"segue/client"
	"segue/contract"
	"segue/gateway/body"
)

// VisitPrefix begins the id of an interaction that a visit names.
const VisitPrefix = "visit-"

// VisitRule is which ids a visit can have: those that are the id of an interaction behind VisitPrefix.
const VisitRule = "use 1 to 122 of the characters A-Z a-z 0-9 . _ ~ : @ -"

// IsVisit reports whether a text can be the id of a visit.
func IsVisit(id string) bool {
	return id != "" && client.Name{ContactCenter: "x", ID: VisitPrefix + id}.Check() == nil
}

// maxDigits bounds a number as the id of a visit: an interaction keeps no more digits of a number.
const maxDigits = 15

// checkVisit refuses a profile with a visit that no page can have: nobody would ever see the invitation. A profile
// without a visit is legal, as the platform may reach the visitor without a page.
func (q *request) checkVisit(profile *body.Object) error {
	for _, key := range visitKeys {
		visit, err := identifierOf(profile, q.parameter+".", key)
		if err != nil {
			return err
		}
		if visit == "" {
			continue
		}
		if isText := strings.HasPrefix(string(profile.Values[key]), `"`); !isText && len(strings.TrimPrefix(visit, "-")) > maxDigits {
			return malformed("%s.%s: %s: a number of more than %d digits; send a text in quotes", q.parameter, key, excerpt(visit), maxDigits)
		}
		if !IsVisit(visit) {
			return malformed("%s.%s: %s: not the id of a visit; %s", q.parameter, key, strconv.Quote(excerpt(visit)), VisitRule)
		}
	}
	return nil
}

// maxExcerpt bounds what an error shows of a value, in characters.
const maxExcerpt = 40

// excerpt returns the beginning of a value, for an error.
func excerpt(value string) string {
	if runes := []rune(value); len(runes) > maxExcerpt {
		return string(runes[:maxExcerpt]) + "…"
	}
	return value
}

// identifierOf returns a member that is a text or a whole number; empty if there is none. The error names it with
// the path to it.
func identifierOf(object *body.Object, path, key string) (string, error) {
	raw := object.Values[key]
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var text string
	var number json.Number
	switch {
	case json.Unmarshal(raw, &text) == nil:
		return text, nil
	case json.Unmarshal(raw, &number) == nil && !strings.ContainsAny(number.String(), ".eE"):
		return number.String(), nil
	}
	return "", malformed("%s%s: %s: neither a text nor a whole number; send a text in quotes", path, key, excerpt(string(raw)))
}

// visitOf returns the visit that the profile names, else the one that the interaction has as user data, from an
// earlier profile or from its start, else that of the interaction's id.
func visitOf(s *contract.State) string {
	for _, fields := range []map[string]any{s.Engagement.Profile, s.UserData} {
		for _, key := range visitKeys {
			if visit := visitIn(fields[key]); IsVisit(visit) {
				return visit
			}
		}
	}
	if visit, is := strings.CutPrefix(s.ID, VisitPrefix); is {
		return visit
	}
	return ""
}

func visitIn(value any) string {
	switch visit := value.(type) {
	case string:
		return visit
	case float64:
		return strconv.FormatFloat(visit, 'f', -1, 64)
	case json.Number:
		return visit.String()
	}
	return ""
}
