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

// SearchAttributes are all search attributes that Segue's workflows set. A namespace on SQL has room for ten keywords,
// three keyword lists and three integers; Segue leaves at least one of each free.
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

// SearchAttributeTypes returns the type name of each search attribute, as package embedded needs them.
func SearchAttributeTypes() map[string]string {
	types := make(map[string]string, len(SearchAttributes))
	for _, attribute := range SearchAttributes {
		types[attribute.Name] = attribute.Type.String()
	}
	return types
}
