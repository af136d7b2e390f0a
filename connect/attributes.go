package connect

import (
	enumspb "go.temporal.io/api/enums/v1"
)

// SearchAttribute is the name and type of one of Segue's search attributes.
type SearchAttribute struct {
	Name string
	Type enumspb.IndexedValueType
}

const (
	keyword = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	list    = enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST
	integer = enumspb.INDEXED_VALUE_TYPE_INT
)

// SearchAttributes is every search attribute that Segue's workflows set. A namespace on SQL has room for ten keywords,
// three keyword lists and three integers: one of each, at least, is left to the namespace.
var SearchAttributes = []SearchAttribute{
	{"SegueState", keyword},
	{"SegueChannel", keyword},
	{"SegueQueue", keyword},
	{"SegueAgent", keyword},
	{"SegueAgents", list},
	{"SegueWorkbin", keyword},
	{"SegueOutcome", keyword},
	{"SegueContactCenter", keyword},
	{"SegueInteraction", keyword},
	{"SegueCall", keyword},
	{"SegueUndelivered", integer},
	{"SegueParked", integer},
}

// SearchAttributeTypes gives the table as names and type names, the way package embedded takes it.
func SearchAttributeTypes() map[string]string {
	types := make(map[string]string, len(SearchAttributes))
	for _, attribute := range SearchAttributes {
		types[attribute.Name] = attribute.Type.String()
	}
	return types
}
