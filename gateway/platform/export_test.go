package platform

import "encoding/json"

// ReadObject reads an object and writes it again, with a member added.
func ReadObject(data []byte, name string, value any) (json.RawMessage, error) {
	o, err := readObject(data)
	if err != nil {
		return nil, err
	}
	if err := o.set(name, value); err != nil {
		return nil, err
	}
	return o.encode(), nil
}

// IDOf is the id of an interaction that is started without one.
var IDOf = idOf
