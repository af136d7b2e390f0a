package interaction

import (
	"slices"
	"strings"

	"segue/spelling"
)

// fault is what is wrong with a field: the path inside it, the value there (nil if it is
// missing), and the remedy.
type fault struct {
	inner  string
	value  any
	why    Why
	reason string
}

func wrong(value any, reason string) *fault {
	return &fault{value: value, why: WhyInvalid, reason: reason}
}

func oversized(value any, reason string) *fault {
	return &fault{value: value, why: WhyTooLarge, reason: reason}
}

// missing is the fault of an object without a field that it has to have.
func missing(name, about string) *fault {
	return &fault{inner: "." + name, why: WhyMissing, reason: "is missing; " + about}
}

// field is one known field of a payload.
type field struct {
	name     string
	kind     kind
	required bool
	about    string
}

// shape is the known fields of a payload. Other fields are accepted and kept, unless they
// can only be a misspelled known one.
type shape []field

// check returns an error for the first field, in the shape's order, that is missing or
// wrong; nil if there is none.
func (s shape) check(payload map[string]any) *InvalidError {
	return s.fault(payload).invalid()
}

func (f *fault) invalid() *InvalidError {
	if f == nil {
		return nil
	}
	invalid := &InvalidError{Field: shortened(strings.TrimPrefix(f.inner, ".")), Why: f.why, Reason: f.reason}
	if f.value != nil {
		invalid.Value = shown(f.value)
	}
	return invalid
}

// misspelled finds a field that no shape has and that can only be a misspelled one which is
// missing: accepted as a field of the platform's own, it would do nothing.
func misspelled(payload map[string]any, shapes ...shape) *fault {
	var unknown []string
	// Sorted below, so that the error always names the same field.
	//workflowcheck:ignore
	for name := range payload {
		if !slices.ContainsFunc(shapes, func(s shape) bool { return s.has(name) }) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		for _, s := range shapes {
			for _, f := range s {
				if _, given := payload[f.name]; !given && spelling.Misspells(name, f.name) {
					return &fault{inner: "." + name, why: WhyInvalid, reason: "there is no such field; did you mean " + f.name + "?"}
				}
			}
		}
	}
	return nil
}

func (s shape) has(name string) bool {
	for i := range s {
		if s[i].name == name {
			return true
		}
	}
	return false
}

func (s shape) fault(payload map[string]any) *fault {
	for _, f := range s {
		value := payload[f.name]
		switch {
		case value == nil && f.required:
			return missing(f.name, f.about)
		case value == nil, value == "" && !f.required:
			continue // forms send an empty string for "none"
		}
		if found := f.kind.check(value); found != nil {
			if value == "" {
				found.why = WhyMissing
			}
			return found.within("." + f.name)
		}
	}
	return nil
}
