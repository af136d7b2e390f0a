package delivery

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html/charset"
)

// maxXMLDepth bounds how deep the elements of a response may nest: the decoder keeps each open
// element in memory.
const maxXMLDepth = 100

// xmlDecoder returns a decoder for XML in any encoding that the header, a byte order mark or
// the document declares. It expands no entity and fetches nothing: a document type is an
// error.
func xmlDecoder(body, contentType string) *xml.Decoder {
	var text io.Reader = strings.NewReader(body)
	encoding, _, certain := charset.DetermineEncoding([]byte(body[:min(len(body), 1024)]), contentType)
	if certain { // by the header or a byte order mark, which take precedence over the document
		text = encoding.NewDecoder().Reader(text)
	}
	raw := xml.NewDecoder(text)
	raw.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if certain {
			return input, nil
		}
		return charset.NewReaderLabel(label, input)
	}
	return xml.NewTokenDecoder(&plainXML{raw: raw})
}

// plainXML reads the tokens that a response may contain.
type plainXML struct {
	raw   *xml.Decoder
	depth int
}

func (p *plainXML) Token() (xml.Token, error) {
	token, err := p.raw.RawToken()
	switch token.(type) {
	case xml.Directive:
		return nil, errors.New("the response has a document type")
	case xml.StartElement:
		if p.depth++; p.depth > maxXMLDepth {
			return nil, errors.New("the elements of the response are nested too deep")
		}
	case xml.EndElement:
		p.depth--
	}
	return token, err
}
