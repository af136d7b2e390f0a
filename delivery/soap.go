package delivery

import (
	"encoding/xml"
	"errors"
	"regexp"
	"strings"

	"segue/contract"
)

// maxEnvelope bounds how much of a response is searched for a fault, in bytes: a fault is the
// first element of the body.
const maxEnvelope = 256 << 10

// The namespaces of the envelopes of SOAP 1.1 and 1.2.
const (
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

// soapFault is the fault in a SOAP response.
type soapFault struct {
	// code is the fault's code without its prefix, such as Client; empty if it cannot be
	// read.
	code string
}

// verdict returns the verdict of the code: a request that is wrong in itself stays wrong.
func (f *soapFault) verdict() contract.Verdict {
	code, _, _ := strings.Cut(f.code, ".") // SOAP 1.1 refines codes: Client.Authentication
	switch code {
	case "Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown":
		return contract.VerdictFinal
	}
	return contract.VerdictRetry
}

func (f *soapFault) message() string {
	if f.code == "" {
		return "the response is a SOAP fault"
	}
	return "SOAP fault " + f.code
}

// mayHoldFault reports whether a response with the status is searched for a fault: the
// bindings send faults with 500 and 400, careless services with 200. For other failures the
// status says enough.
func mayHoldFault(verdict contract.Verdict, code int) bool {
	return verdict == contract.VerdictDelivered || code == 500 || code == 400
}

// isSOAP returns the fault in an envelope, nil for none, and reports an error if the response
// is not an envelope. It needs only the beginning of the body's first element.
func isSOAP(body, contentType string) (*soapFault, error) {
	d := xmlDecoder(body[:min(len(body), maxEnvelope)], contentType)
	space, content, err := soapContent(d)
	switch {
	case err != nil:
		return nil, err
	case content != xml.Name{Space: space, Local: "Fault"}:
		return nil, nil
	}
	return &soapFault{code: readFaultCode(d)}, nil
}

var errNoEnvelope = errors.New("the response is not a readable SOAP envelope")

// soapContent steps into the first element of an envelope's body, and returns the namespace
// of the envelope and the name of the element, which is empty if the body is.
func soapContent(d *xml.Decoder) (space string, content xml.Name, err error) {
	envelope, err := child(d)
	if err != nil || envelope.Local != "Envelope" || envelope.Space != soap11 && envelope.Space != soap12 {
		return "", xml.Name{}, errNoEnvelope
	}
	for {
		part, err := child(d)
		switch {
		case err != nil || part.Local == "":
			return "", xml.Name{}, errNoEnvelope
		case part == xml.Name{Space: envelope.Space, Local: "Body"}:
			if content, err = child(d); err != nil {
				err = errNoEnvelope
			}
			return envelope.Space, content, err
		case d.Skip() != nil:
			return "", xml.Name{}, errNoEnvelope
		}
	}
}

// child steps into the next element and returns its name; empty if there is none.
func child(d *xml.Decoder) (xml.Name, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return xml.Name{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t.Name, nil
		case xml.EndElement:
			return xml.Name{}, nil
		}
	}
}

// faultCode matches a code with or without a prefix.
var faultCode = regexp.MustCompile(`^(?:[A-Za-z_][\w.-]*:)?([A-Za-z]+(?:\.[A-Za-z]+)*)$`)

// readFaultCode returns the code of the fault that the decoder is in: faultcode of SOAP 1.1,
// Code/Value of 1.2.
func readFaultCode(d *xml.Decoder) string {
	for {
		name, err := child(d)
		switch {
		case err != nil || name.Local == "":
			return ""
		case name.Local == "Code":
			continue // Value is its first child
		case name.Local == "faultcode", name.Local == "Value":
			text := readText(d)
			if m := faultCode.FindStringSubmatch(text); m != nil && len(text) <= 100 {
				return m[1]
			}
			return ""
		case d.Skip() != nil:
			return ""
		}
	}
}

// readText returns the text of an element, up to its end or its first child.
func readText(d *xml.Decoder) string {
	var b strings.Builder
	for {
		token, err := d.Token()
		text, ok := token.(xml.CharData)
		if !ok || err != nil {
			return strings.TrimSpace(b.String())
		}
		b.Write(text)
	}
}
