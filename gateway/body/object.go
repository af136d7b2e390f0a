package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxDepth bounds the nesting of a body. Interactions accept payloads of 32 levels; an array of
// commands inside a start adds two.
const MaxDepth = 34

// Object is a JSON object whose members keep their order and their bytes, so that numbers lose no
// digits on their way to the interaction.
type Object struct {
	names  []string
	Values map[string]json.RawMessage
	// Size is how many bytes a client has sent, before the gateway adds to them.
	Size int
}

// ReadObject reads one JSON object, or nothing as an empty object. It returns an error for what is
// not a JSON object, for a repeated key, and for nesting that is too deep.
func ReadObject(data []byte) (*Object, error) {
	o := &Object{Values: map[string]json.RawMessage{}, Size: len(data)}
	if len(bytes.TrimSpace(data)) == 0 {
		return o, nil
	}
	if err := checkJSON(data); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return nil, errors.New("send one JSON object")
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		key, _ := name.(string)
		o.names = append(o.names, key)
		o.Values[key] = value
	}
	return o, nil
}

// ReadObjects reads a JSON array of objects under the same rules.
func ReadObjects(data []byte) ([]*Object, error) {
	if err := checkJSON(data); err != nil {
		return nil, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil || items == nil {
		return nil, errors.New("send a JSON array of objects")
	}
	objects := make([]*Object, len(items))
	for i, item := range items {
		o, err := ReadObject(item)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		objects[i] = o
	}
	return objects, nil
}

// Text returns a member that is a string. It reports false if the member is something else; one that
// is absent, null or empty is "".
func (o *Object) Text(name string) (string, bool) {
	value, given := o.Values[name]
	if !given || string(value) == "null" {
		return "", true
	}
	var text string
	err := json.Unmarshal(value, &text)
	return text, err == nil
}

// Set sets a member, at the end if it is new.
func (o *Object) Set(name string, value any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if _, known := o.Values[name]; !known {
		o.names = append(o.names, name)
	}
	o.Values[name] = encoded
	return nil
}

// Take removes a member and returns it; nil if it is absent.
func (o *Object) Take(name string) json.RawMessage {
	value, known := o.Values[name]
	if !known {
		return nil
	}
	delete(o.Values, name)
	for i, one := range o.names {
		if one == name {
			o.names = append(o.names[:i:i], o.names[i+1:]...)
			break
		}
	}
	return value
}

// Encode writes the object.
func (o *Object) Encode() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quotedName(name))
		b.WriteByte(':')
		b.Write(o.Values[name])
	}
	b.WriteByte('}')
	return b.Bytes()
}

// quotedName writes the name of a member, no longer than it was: json.Marshal would escape <, > and &.
func quotedName(name string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(name) // cannot happen: a text can be encoded
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// checkJSON returns an error unless the data is one JSON value without repeated keys, of bounded
// depth, in UTF-8.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("the body is not UTF-8")
	}
	if !json.Valid(data) {
		return syntaxError(data)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return checkValue(decoder, 0)
}

// syntaxError says where the data stops being JSON.
func syntaxError(data []byte) error {
	var any json.RawMessage
	err := json.Unmarshal(data, &any)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("the body is not JSON: %w, at byte %d", err, syntax.Offset)
	}
	return errors.New("the body is not JSON")
}

func checkValue(decoder *json.Decoder, depth int) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	opening, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth == MaxDepth {
		return fmt.Errorf("the body is nested deeper than %d levels", MaxDepth)
	}
	seen := map[string]bool{}
	for decoder.More() {
		if opening == '{' {
			name, err := decoder.Token()
			if err != nil {
				return err
			}
			key, _ := name.(string)
			if seen[key] {
				return fmt.Errorf("the key %.64q occurs twice in one object", key)
			}
			seen[key] = true
		}
		if err := checkValue(decoder, depth+1); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
