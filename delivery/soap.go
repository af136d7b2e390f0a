package delivery

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"

	"golang.org/x/net/html/charset"

	"segue/dispatch"
)

const (
	// maxEnvelope is how much of a response is searched for a fault, in bytes, and
	// maxFaultTokens in pieces of XML: a fault comes first in the body.
	maxEnvelope    = 256 << 10
	maxFaultTokens = 10_000
)

// The namespaces of the envelope, SOAP 1.1 and 1.2.
const (
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

// soapFault is what a SOAP response says went wrong.
type soapFault struct {
	// code is the fault's code without its prefix, such as Client; empty when it
	// cannot be told.
	code string
}

// verdict is what the code means: a request that is wrong in itself stays so.
func (f *soapFault) verdict() dispatch.Verdict {
	code, _, _ := strings.Cut(f.code, ".") // 1.1 refines codes: Client.Authentication
	switch code {
	case "Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown":
		return dispatch.VerdictFinal
	}
	return dispatch.VerdictRetry
}

func (f *soapFault) message() string {
	if f.code == "" {
		return "the response is a SOAP fault"
	}
	return "SOAP fault " + f.code
}

// mayHoldFault tells whether a response of the status is looked at: the bindings send
// faults with 500 and 400, careless services with 200. Other failures say enough.
func mayHoldFault(verdict dispatch.Verdict, code int) bool {
	return verdict == dispatch.VerdictDelivered || code == 500 || code == 400
}

// findFault looks for a fault in a response, nil for none. Entities are not expanded
// and nothing is fetched: a document type ends the search, and SOAP has none.
func findFault(body []byte, contentType string) *soapFault {
	r := newFaultReader(body[:min(len(body), maxEnvelope)], contentType)
	envelope, ok := r.child()
	if !ok || envelope.Local != "Envelope" || envelope.Space != soap11 && envelope.Space != soap12 {
		return nil
	}
	for {
		child, ok := r.child()
		switch {
		case !ok:
			return nil
		case child == xml.Name{Space: envelope.Space, Local: "Body"}:
			fault, ok := r.child()
			if !ok || fault != (xml.Name{Space: envelope.Space, Local: "Fault"}) {
				return nil
			}
			return &soapFault{code: r.code()}
		case !r.leave():
			return nil
		}
	}
}

// faultReader steps through a document, element by element.
type faultReader struct {
	decoder *xml.Decoder
	tokens  int
}

func newFaultReader(body []byte, contentType string) *faultReader {
	var text io.Reader = bytes.NewReader(body)
	encoding, _, certain := charset.DetermineEncoding(body[:min(len(body), 1024)], contentType)
	if certain { // by the header or a byte order mark, which go before what the document says
		text = encoding.NewDecoder().Reader(text)
	}
	r := &faultReader{decoder: xml.NewDecoder(text)}
	r.decoder.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if certain {
			return input, nil
		}
		return charset.NewReaderLabel(label, input)
	}
	return r
}

// next is the next token; nil at the end of what is read.
func (r *faultReader) next() xml.Token {
	if r.tokens++; r.tokens > maxFaultTokens {
		return nil
	}
	token, err := r.decoder.Token()
	if _, ok := token.(xml.Directive); ok || err != nil {
		return nil
	}
	return token
}

// child steps into the next element; false when the one it is in ends before that.
func (r *faultReader) child() (xml.Name, bool) {
	for {
		switch token := r.next().(type) {
		case xml.StartElement:
			return token.Name, true
		case xml.EndElement, nil:
			return xml.Name{}, false
		}
	}
}

// leave steps out of the element it is in.
func (r *faultReader) leave() bool {
	for depth := 1; depth > 0; {
		switch r.next().(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case nil:
			return false
		}
	}
	return true
}

// faultCode is a code with or without its prefix.
var faultCode = regexp.MustCompile(`^(?:[A-Za-z_][\w.-]*:)?([A-Za-z]+(?:\.[A-Za-z]+)*)$`)

// code reads a fault's code, from inside the fault: faultcode of 1.1, Code/Value of 1.2.
func (r *faultReader) code() string {
	for {
		name, ok := r.child()
		switch {
		case !ok:
			return ""
		case name.Local == "faultcode", name.Local == "Value":
			text := r.text()
			if m := faultCode.FindStringSubmatch(text); m != nil && len(text) <= 100 {
				return m[1]
			}
			return ""
		case name.Local == "Code":
			continue // its value comes first in it
		}
		if !r.leave() {
			return ""
		}
	}
}

// text is what stands in the element it is in, up to its end or its first child.
func (r *faultReader) text() string {
	var b strings.Builder
	for {
		token, ok := r.next().(xml.CharData)
		if !ok {
			return strings.TrimSpace(b.String())
		}
		b.Write(token)
	}
}
