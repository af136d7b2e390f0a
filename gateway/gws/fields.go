package gws

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"segue/gateway/body"
)

// fields are the fields of a command. Values of a body keep their bytes.
type fields map[string]any

// textField is a field of a body that is a text, and its name in the command.
type textField struct{ given, name string }

// commandWith returns one command with those of the texts that the body has.
func (q *request) commandWith(name string, texts ...textField) ([]command, error) {
	c := command{name: name, fields: fields{}}
	for _, field := range texts {
		text, err := q.text(field.given)
		if err != nil {
			return nil, err
		}
		if text != "" {
			c.fields[field.name] = text
		}
	}
	return []command{c}, nil
}

// queue returns the queue that the body names; empty for none.
func (q *request) queue() (string, error) {
	if name, err := q.text("queueName"); name != "" || err != nil {
		return name, err
	}
	return q.lastOf("queueUri", "queues")
}

// lastOf returns what a URI of the body, …/collection/NAME, names; empty if there is no URI.
func (q *request) lastOf(field, collection string) (string, error) {
	uri, err := q.text(field)
	if uri == "" || err != nil {
		return "", err
	}
	name := named(uri, collection)
	if name == "" {
		return "", refuse(codeInvalid, "%s: %s is not a URI that ends in /%s/NAME; send one", field, shown(q.body.Values[field]), collection)
	}
	return name, nil
}

// named returns the NAME of a URI …/collection/NAME; empty for any other text.
func named(uri, collection string) string {
	at := strings.LastIndex("/"+uri, "/"+collection+"/")
	if at < 0 {
		return ""
	}
	rest := strings.TrimRight(("/" + uri)[at+len(collection)+2:], "/")
	name, err := url.PathUnescape(rest)
	if err != nil || strings.Contains(rest, "/") {
		return ""
	}
	return name
}

func changingUserData(q *request, name string) ([]command, error) {
	data, err := q.userData()
	return []command{{name, fields{"user_data": data}}}, err
}

// userData returns the user data of the body, which is required.
func (q *request) userData() (json.RawMessage, error) {
	given, err := q.object("userData")
	if err == nil && given == nil {
		err = refuse(codeMissing, "userData: is missing; send an object of names and values")
	}
	return q.body.Values["userData"], err
}

// deletingUserData deletes what userData names, which may be nested, and what keys and key name: pages of
// the documentation use each of them.
func deletingUserData(q *request, name string) ([]command, error) {
	return q.deletion(name, "userData: is missing; send an object with what to delete, or keys")
}

func deletingPair(q *request, name string) ([]command, error) {
	return q.deletion(name, "key: is missing; name the key to delete")
}

// deletion returns the command that deletes user data. missing is what is said if the body names none.
func (q *request) deletion(name, missing string) ([]command, error) {
	given := fields{}
	data, err := q.object("userData")
	if err != nil {
		return nil, err
	}
	if data != nil {
		given["user_data"] = q.body.Values["userData"]
	}
	keys, err := q.keys()
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		given["keys"] = keys
	}
	if len(given) == 0 {
		return nil, refuse(codeMissing, "%s", missing)
	}
	return []command{{name, given}}, nil
}

// keys returns the keys of user data that the body names, as keys or as key.
func (q *request) keys() ([]string, error) {
	var keys []string
	if given := q.body.Values["keys"]; !isNone(given) {
		var texts []*string
		if json.Unmarshal(given, &texts) != nil || slices.Contains(texts, nil) {
			return nil, refuse(codeInvalid, "keys: %s is not an array of texts; send the keys to delete", shown(given))
		}
		for _, text := range texts {
			keys = append(keys, *text)
		}
	}
	key, err := q.text("key")
	if err == nil && key != "" && !slices.Contains(keys, key) {
		keys = append(keys, key)
	}
	return keys, err
}

func settingDisposition(q *request, name string) ([]command, error) {
	disposition, err := q.disposition()
	if err == nil && disposition == nil {
		err = refuse(codeMissing, "disposition: is missing; send its code")
	}
	return []command{{name, disposition}}, err
}

// disposition reads the disposition of the body: a code, or an object with the code as code, name or id;
// nil for none.
func (q *request) disposition() (fields, error) {
	given := q.body.Values["disposition"]
	if isNone(given) || given[0] != '{' {
		code, err := q.text("disposition")
		if code == "" || err != nil {
			return nil, err
		}
		return fields{"code": code}, nil
	}
	o, err := body.ReadObject(given)
	if err != nil {
		return nil, err
	}
	read := fields{}
	for _, name := range []string{"code", "name", "id"} {
		code, err := textIn(o, name, "disposition.")
		if err != nil {
			return nil, err
		}
		if code != "" && read["code"] == nil {
			read["code"] = code
		}
	}
	if read["code"] == nil {
		return nil, refuse(codeMissing, "disposition.code: is missing; send the code of the disposition")
	}
	notes, err := textIn(o, "notes", "disposition.")
	if notes != "" {
		read["notes"] = notes
	}
	return read, err
}

func commenting(q *request, name string) ([]command, error) {
	comment, err := q.text("comment")
	if err == nil && isNone(q.body.Values["comment"]) {
		err = refuse(codeMissing, "comment: is missing; send a text")
	}
	return []command{{name, fields{"comment": comment}}}, err
}

// replyTexts are the documented fields of a reply beside its user data. Expressions see them, so that a
// platform can write the draft as the agent wants it.
var replyTexts = []string{"text", "body", "bodyAsPlainText", "mime", "subjectPrefix", "replyToStartLine", "indentCharacter", "queueName", "queueUri"}

func replying(q *request, name string) ([]command, error) { return q.replyWith(name, fields{}) }

func replyingToAll(q *request, name string) ([]command, error) {
	return q.replyWith(name, fields{"all": true})
}

// replyWith starts a draft with what the body has for it.
func (q *request) replyWith(name string, reply fields) ([]command, error) {
	for _, field := range replyTexts {
		text, err := q.text(field)
		if err != nil {
			return nil, err
		}
		if text != "" {
			reply[field] = text
		}
	}
	if quote := q.body.Values["quoteOriginal"]; !isNone(quote) {
		if string(quote) != "true" && string(quote) != "false" {
			return nil, refuse(codeInvalid, "quoteOriginal: %s is not true or false; send one of them", shown(quote))
		}
		reply["quoteOriginal"] = quote
	}
	data, err := q.object("userData")
	if data != nil {
		reply["user_data"] = q.body.Values["userData"]
	}
	return []command{{name, reply}}, err
}
