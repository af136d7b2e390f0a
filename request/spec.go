package request

import (
	"time"

	"segue/expr"

	"go.yaml.in/yaml/v3"
)

// Bounds of a rendered request, in bytes.
const (
	MaxBody   = 256 << 10
	MaxURL    = 8 << 10
	MaxHeader = 8 << 10 // of one value
)

// Bounds of a configured call.
const (
	MaxPairs  = 100 // query parameters, headers, form fields or mappings of a call
	MaxLeaves = 500 // string leaves of a body
	MaxDepth  = 32  // levels of a body
)

// Methods are the eight verbs of ECS.
var Methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "HEAD", "OPTIONS"}

// Missing is what happens to a leaf whose value does not exist.
type Missing = expr.Missing

// The policies for a missing value; the zero value is MissingEmpty.
const (
	MissingEmpty = expr.MissingEmpty
	MissingOmit  = expr.MissingOmit
	MissingNull  = expr.MissingNull
	MissingPark  = expr.MissingPark
)

// MissingPolicies lists them.
var MissingPolicies = []Missing{MissingEmpty, MissingOmit, MissingNull, MissingPark}

// Spec is a call's request as the configuration has it. At most one of JSON,
// Form, XML, SOAP and Text is set; without one there is no body.
type Spec struct {
	// Name is the call's name; it goes into contract.Request.Call.
	Name     string
	Method   string
	URL      string
	Query    []Pair
	Headers  []Pair
	JSON     *yaml.Node
	Form     []Pair
	XML      *XML
	SOAP     *SOAP
	Text     *string
	Missing  Missing
	Mappings []Mapping
	// Once says that the call is not idempotent, and Timeout is the deadline of one
	// attempt; every request carries them.
	Once    bool
	Timeout time.Duration
}

// Pair is a named value; a list of them keeps order and case. Among query
// parameters and form fields, one without a name is an expression that gives an
// object, each key of which becomes a parameter of its own.
type Pair struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value" scalar:"true"`
}

// XML is a body of elements under one root. In Body a key is an element, a list
// repeats it, "@name" is an attribute and "#text" the text beside attributes.
type XML struct {
	Root      string     `yaml:"root"`
	Namespace string     `yaml:"namespace"`
	Body      *yaml.Node `yaml:"body"`
}

// SOAP is an envelope around one operation, with what else goes into its Header
// (WS-Addressing, a session, a tenant); a password cannot. Service and Port say which port of the
// service's description the call's URL is the endpoint of; they are not sent.
type SOAP struct {
	Service string `yaml:"service"`
	Port    string `yaml:"port"`
	// Version is "1.1" (the default) or "1.2".
	Version   string     `yaml:"version" scalar:"true"`
	Action    string     `yaml:"action"`
	Namespace string     `yaml:"namespace"`
	Operation string     `yaml:"operation"`
	Header    *yaml.Node `yaml:"header"`
	Body      *yaml.Node `yaml:"body"`
}

// Mapping replaces a value whose text is From by To (Engage Voice's "mapping
// replacement"). The first that fits wins; it is applied once.
type Mapping struct {
	From string `yaml:"from" scalar:"true"`
	To   string `yaml:"to" scalar:"true"`
}
