package delivery

import (
	"encoding/xml"
	"errors"
	"regexp"
	"strings"

	"segue/contract"
)

// maxEnvelope is how much of a response is searched for a fault, in bytes: a fault
// comes first in the body.
const maxEnvelope = 256 << 10

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
func (f *soapFault) verdict() contract.Verdict {
	code, _, _ := strings.Cut(f.code, ".") // 1.1 refines codes: Client.Authentication
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

// mayHoldFault tells whether a response of the status is looked at: the bindings send
// faults with 500 and 400, careless services with 200. Other failures say enough.
func mayHoldFault(verdict contract.Verdict, code int) bool {
	return verdict == contract.VerdictDelivered || code == 500 || code == 400
}

// isSOAP reports whether a response is an envelope, and returns the fault in it, nil for
// none. What follows the beginning of its body's content does not matter, nor whether
// it was read. The error says why it is no envelope.
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

var errNoEnvelope = errors.New("the response is no SOAP envelope that can be read")

// soapContent steps into the first element of an envelope's body, and gives the
// envelope's namespace; the element is without a name when the body is empty.
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

// child steps into the next element; without a name when there is none.
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

// faultCode is a code with or without its prefix.
var faultCode = regexp.MustCompile(`^(?:[A-Za-z_][\w.-]*:)?([A-Za-z]+(?:\.[A-Za-z]+)*)$`)

// readFaultCode reads on from inside a fault: faultcode of 1.1, Code/Value of 1.2.
func readFaultCode(d *xml.Decoder) string {
	for {
		name, err := child(d)
		switch {
		case err != nil || name.Local == "":
			return ""
		case name.Local == "Code":
			continue // its value comes first in it
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

// readText is what stands in an element, up to its end or its first child.
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
