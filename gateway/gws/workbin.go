package gws

import (
	"bytes"
	"encoding/json"
	"strings"

	"segue/gateway/body"
	"segue/interaction"
)

// A workbin is a text or an object. Its id, in paths and fields, is a text: that of a text workbin is
// the text, and that of an object is its JSON, with sorted keys. A text that would be taken for JSON is
// written as JSON, too. So each workbin has one id, and each id is one workbin.

// workbinID returns the id of a workbin.
func workbinID(workbin any) string {
	if text, isText := workbin.(string); isText && !looksLikeJSON(text) {
		return text
	}
	encoded, err := json.Marshal(workbin)
	if err != nil {
		return "" // cannot happen: it came as JSON
	}
	return string(encoded)
}

// workbinOf returns the workbin of an id. A path may have bytes that are no text, which JSON cannot have.
func workbinOf(id string) any {
	id = strings.ToValidUTF8(id, "\ufffd")
	if !looksLikeJSON(id) {
		return id
	}
	if workbin, err := readWorkbin(json.RawMessage(id)); err == nil {
		return workbin
	}
	return id
}

func looksLikeJSON(text string) bool {
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, `"`)
}

// readWorkbin reads a workbin that is JSON, with numbers as interactions keep them.
func readWorkbin(given json.RawMessage) (any, error) {
	if given[0] == '{' {
		if _, err := body.ReadObject(given); err != nil { // repeated keys, depth
			return nil, err
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(given))
	decoder.UseNumber()
	var workbin any
	if err := decoder.Decode(&workbin); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, errTrailing
	}
	return interaction.Settled(workbin), nil
}

// workbin returns the workbin that the body names: as workbin, a text or an object, or by its id as
// workbinId.
func (q *request) workbin() (any, error) {
	for _, field := range []string{"workbin", "workbinId"} {
		given := q.body.Values[field]
		switch {
		case isNone(given) || string(given) == `""`:
		case given[0] == '{':
			return readWorkbin(given)
		case given[0] == '"':
			id, err := q.text(field)
			return workbinOf(id), err
		default:
			return nil, refuse(codeInvalid, "%s: %s is neither a text nor an object; send the workbin's id", field, shown(given))
		}
	}
	return nil, refuse(codeMissing, "workbin: is missing; name the workbin")
}

// workbinIDs splits a list of ids, in which the ids of objects have commas of their own.
func workbinIDs(list string) []string {
	var ids []string
	for list != "" {
		id := nextID(list)
		if id != "" {
			ids = append(ids, id)
		}
		list = strings.TrimPrefix(list[len(id):], ",")
	}
	return ids
}

// nextID returns the first id of a list.
func nextID(list string) string {
	if looksLikeJSON(list) {
		decoder := json.NewDecoder(strings.NewReader(list))
		var value json.RawMessage
		if err := decoder.Decode(&value); err == nil {
			if end := int(decoder.InputOffset()); end == len(list) || list[end] == ',' {
				return list[:end]
			}
		}
	}
	id, _, _ := strings.Cut(list, ",")
	return id
}
