package gws

// update does PUT: it gives a command for each of the fields that the body has.
func (f *face) update(q *request, is kind) (any, error) {
	n, err := q.target(q.PathValue("id"))
	if err != nil {
		return nil, err
	}
	if _, err := f.seeIn(q, n, is); err != nil {
		return nil, err
	}
	given, err := q.changes()
	if err != nil {
		return nil, err
	}
	if err := f.give(q, n, given); err != nil {
		return nil, err
	}
	return q.done(), nil
}

// changes returns the commands of a PUT.
func (q *request) changes() ([]command, error) {
	var given []command
	if data, err := q.object("userData"); err != nil {
		return nil, err
	} else if data != nil {
		given = append(given, command{"update_user_data", fields{"user_data": q.body.Values["userData"]}})
	}
	if disposition, err := q.disposition(); err != nil {
		return nil, err
	} else if disposition != nil {
		given = append(given, command{"set_disposition", disposition})
	}
	if comment, err := q.text("comment"); err != nil {
		return nil, err
	} else if !isNone(q.body.Values["comment"]) {
		given = append(given, command{"set_attributes", fields{"comment": comment}})
	}
	if len(given) == 0 {
		return nil, refuse(codeMissing, "userData: is missing; send userData, disposition or comment")
	}
	return given, nil
}
