package gws

// destination returns where a transfer goes: an agent, a queue or a number. The first field that is
// given counts.
func (q *request) destination() (fields, error) {
	for _, read := range []func(*request) (fields, error){
		textTo("userId", "agent"), uriTo("userUri", "users", "agent"), textTo("queueName", "queue"), uriTo("queueUri", "queues", "queue"),
		anywhere("targetUri"), anywhere("targetPath"), phone,
	} {
		if to, err := read(q); to != nil || err != nil {
			return to, err
		}
	}
	return nil, refuse(codeMissing, "userId: is missing; send userId, userUri, queueName, targetUri, targetPath or destination.phoneNumber")
}

// party returns who is consulted, or joins a conference: an agent or a number.
func (q *request) party() (fields, error) {
	to, err := q.destination()
	if _, isQueue := to["queue"]; isQueue {
		return nil, refuse(codeInvalid, "queueName: a queue cannot be called; send userId or destination.phoneNumber")
	}
	return to, err
}

// textTo reads a field that names a target of a kind.
func textTo(field, kind string) func(*request) (fields, error) {
	return func(q *request) (fields, error) {
		name, err := q.text(field)
		if name == "" || err != nil {
			return nil, err
		}
		return fields{kind: name}, nil
	}
}

// uriTo reads a field that is the URI of a target of a kind.
func uriTo(field, collection, kind string) func(*request) (fields, error) {
	return func(q *request) (fields, error) {
		name, err := q.lastOf(field, collection)
		if name == "" || err != nil {
			return nil, err
		}
		return fields{kind: name}, nil
	}
}

// anywhere reads a field that is the URI of an agent or a queue, or a number.
func anywhere(field string) func(*request) (fields, error) {
	return func(q *request) (fields, error) {
		uri, err := q.text(field)
		if uri == "" || err != nil {
			return nil, err
		}
		for _, collection := range []string{"users", "contacts"} { // pages of the documentation write both
			if agent := named(uri, collection); agent != "" {
				return fields{"agent": agent}, nil
			}
		}
		if queue := named(uri, "queues"); queue != "" {
			return fields{"queue": queue}, nil
		}
		return fields{"number": uri}, nil
	}
}

// phone reads destination.phoneNumber.
func phone(q *request) (fields, error) {
	o, err := q.object("destination")
	if o == nil || err != nil {
		return nil, err
	}
	number, err := textIn(o, "phoneNumber", "destination.")
	if err == nil && number == "" {
		err = refuse(codeMissing, "destination.phoneNumber: is missing; send the number")
	}
	return fields{"number": number}, err
}
