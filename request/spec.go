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

// Missing is the policy for a leaf whose value does not exist.
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

// Spec is the request of a call as the configuration gives it. At most one of JSON, Form,
// XML, SOAP and Text is set; without one, the request has no body.
type Spec struct {
	// Name is the name of the call, for contract.Request.Call.
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
	// Once is true for a call that is not idempotent. Timeout is the deadline of one attempt.
	// Every request carries both.
	Once    bool
	Timeout time.Duration
}

// Pair is a named value. A list of pairs keeps their order and case. A query parameter or
// form field without a name is an expression that gives an object, and each key of the
// object becomes a parameter.
type Pair struct {
	Name  string `yaml:"name"`
	Value string `yaml:"value" scalar:"true"`
}

// XML is a body of elements under one root. In Body a key is an element, a list repeats
// the element, "@name" is an attribute, and "#text" is the text of an element that has
// attributes.
type XML struct {
	Root      string     `yaml:"root"`
	Namespace string     `yaml:"namespace"`
	Body      *yaml.Node `yaml:"body"`
}

// SOAP is an envelope with one operation. Header has the blocks of the envelope's Header,
// such as WS-Addressing, a session or a tenant; it cannot contain a password. Service and
// Port name the endpoint in the WSDL; they are not sent.
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

// Mapping replaces a value whose text is From by To ("mapping replacement" in Engage
// Voice). The first match wins, and is applied once.
type Mapping struct {
	From string `yaml:"from" scalar:"true"`
	To   string `yaml:"to" scalar:"true"`
}
