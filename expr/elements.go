package expr

import (
	"slices"
	"strings"

	"segue/spelling"
)

// Element is one data element: a name that a call writes as #name#.
type Element struct {
	Name string
	// Group is the heading under which the documentation lists it.
	Group string
	// About describes the element. Unit is how it is written; without a unit it is text.
	About, Unit string
	// From are the facts that the value is taken from, in order of precedence.
	From string
	// Known is when it has a value at the earliest.
	Known Known

	read reading
}

// reading returns the text of a data element, and false if it has none.
type reading func(*Scope) (string, bool)

// The units of data elements.
const (
	unitSeconds = "seconds, whole"
	unitTime    = "UTC, `2020-04-22 00:00:00.0000`"
	unitDate    = "UTC, `2020-04-22`"
)

// surveyPrefix begins the names of elements that are the answer to a question.
const surveyPrefix = "survey_"

// elements are all data elements with a fixed name, in the order of the documentation.
var elements = slices.Concat(callElements, queueElements, agentElements, dispositionElements, surveyElements, sentElements())

var elementIndex = func() map[string]*Element {
	index := make(map[string]*Element, len(elements))
	for i := range elements {
		index[elements[i].Name] = &elements[i]
	}
	return index
}()

// Elements returns the data elements, in the order of the documentation. In addition,
// #survey_…# is the answer to a question of a survey.
func Elements() []Element { return slices.Clone(elements) }

// FindElement returns the data element with a name, and false if there is none.
func FindElement(name string) (Element, bool) {
	if e, ok := elementIndex[name]; ok {
		return *e, true
	}
	question, ok := strings.CutPrefix(name, surveyPrefix)
	if !ok || question == "" {
		return Element{}, false
	}
	return Element{Name: name, Group: groupSurvey, About: "the answer to " + question, From: "`survey`", Known: KnownSurvey, read: answer(question)}, true
}

// Text returns the value of the element as text, and false if it has none.
func (e Element) Text(s *Scope) (string, bool) { return e.read(s) }

// ClosestElement returns the name that a misspelled one most likely means, and "" if none is
// close.
func ClosestElement(name string) string {
	names := make([]string, len(elements))
	for i := range elements {
		names[i] = elements[i].Name
	}
	return spelling.Closest(name, names)
}

// either returns the first of several readings that has a value.
func either(readings ...reading) reading {
	return func(s *Scope) (string, bool) {
		for _, read := range readings {
			if text, ok := read(s); ok {
				return text, true
			}
		}
		return "", false
	}
}
