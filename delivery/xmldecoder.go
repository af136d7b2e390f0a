package delivery

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html/charset"
)

// maxXMLDepth is how deep the elements of a response may nest: the decoder keeps
// each open one.
const maxXMLDepth = 100

// xmlDecoder reads the XML that a receiver wrote, in whatever encoding it says.
// Nothing is expanded and nothing is fetched: a document type ends the reading.
func xmlDecoder(body, contentType string) *xml.Decoder {
	var text io.Reader = strings.NewReader(body)
	encoding, _, certain := charset.DetermineEncoding([]byte(body[:min(len(body), 1024)]), contentType)
	if certain { // by the header or a byte order mark, which go before what the document says
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

// plainXML lets through what a response may be made of.
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
			return nil, errors.New("the response nests too deep")
		}
	case xml.EndElement:
		p.depth--
	}
	return token, err
}
