package expr

import (
	"slices"
	"strings"

	"segue/spelling"
)

// Element is one data element: a name that calls write as #name#.
type Element struct {
	Name string
	// Group is the heading under which the documentation lists it.
	Group string
	// About says what it is, and Unit how it is written; without a unit it is text.
	About, Unit string
	// From says which facts it is made of, in the order in which they are asked.
	From string
	// Known is when it has a value at the earliest.
	Known Known

	read reading
}

// reading finds the text of a data element; false means that it has none.
type reading func(*Scope) (string, bool)

// The units of data elements.
const (
	unitSeconds = "seconds, whole"
	unitTime    = "UTC, `2020-04-22 00:00:00.0000`"
	unitDate    = "UTC, `2020-04-22`"
)

// surveyPrefix begins the elements that are named after a survey's questions.
const surveyPrefix = "survey_"

// elements lists every data element with a name of its own, in the order of the documentation.
var elements = slices.Concat(callElements, queueElements, agentElements, dispositionElements, surveyElements, sentElements())

var elementIndex = func() map[string]*Element {
	index := make(map[string]*Element, len(elements))
	for i := range elements {
		index[elements[i].Name] = &elements[i]
	}
	return index
}()

// Elements lists the data elements, in the order of the documentation. Beside
// them, #survey_…# is the answer to each question of a survey.
func Elements() []Element { return slices.Clone(elements) }

// FindElement finds a data element by the name in its tag.
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

// Text is the element's value as text; false means that it has none.
func (e Element) Text(s *Scope) (string, bool) { return e.read(s) }

// ClosestElement is the name that a misspelt one most likely means; empty when none is near.
func ClosestElement(name string) string {
	names := make([]string, len(elements))
	for i := range elements {
		names[i] = elements[i].Name
	}
	return spelling.Closest(name, names)
}

// either is the first of several that there is.
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
