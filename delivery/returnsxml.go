package delivery

import (
	"encoding/xml"
	"strings"
)

// parseXML reads the elements under the root, or under the first element of a SOAP
// body, as names and values.
func parseXML(body, contentType string, soap bool) (map[string]any, string) {
	d := xmlDecoder(body, contentType)
	var root xml.Name
	var err error
	if soap {
		_, root, err = soapContent(d)
	} else {
		root, err = child(d)
	}
	if err != nil || root.Local == "" {
		return nil, "the response is no XML with values in it"
	}
	values := map[string]any{}
	for {
		token, err := d.Token()
		if err != nil {
			return nil, "the response is no whole XML"
		}
		switch t := token.(type) {
		case xml.EndElement:
			return values, ""
		case xml.StartElement:
			value, err := xmlValue(d, t)
			if err != nil {
				return nil, "the response is no whole XML"
			}
			addValue(values, t.Name.Local, value)
		}
	}
}

// xmlValue reads an element to its end: its text, an object when it has elements,
// null when it says so.
func xmlValue(d *xml.Decoder, element xml.StartElement) (any, error) {
	var text strings.Builder
	hasElements := false
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			hasElements = true
			if err := d.Skip(); err != nil {
				return nil, err
			}
		case xml.EndElement:
			switch {
			case isNil(element):
				return nil, nil
			case hasElements:
				return map[string]any{}, nil
			}
			return strings.TrimSpace(text.String()), nil
		}
	}
}

// isNil tells whether an element has no value by its own word (xsi:nil).
func isNil(element xml.StartElement) bool {
	for _, a := range element.Attr {
		if a.Name.Local == "nil" && (a.Value == "true" || a.Value == "1") {
			return true
		}
	}
	return false
}
