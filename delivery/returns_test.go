package delivery_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"segue/contract"
	"segue/delivery"
)

func answering(contentType string, code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

const envelope11 = `<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header><t>1</t></soap:Header><soap:Body>`

// TestReturnsInTheFormatsOfECS returns flat values from JSON, XML, text and a form, as
// documented, and says why others are not returned.
func TestReturnsInTheFormatsOfECS(t *testing.T) {
	all := map[string]any{"tier": "gold", "score": "7.5"}
	cases := []struct {
		name        string
		accept      delivery.Format
		soap        bool
		contentType string
		body        string
		want        map[string]any
		message     string
	}{
		{"JSON by its type", "", false, "application/json; charset=utf-8", `{"tier":"gold","score":"7.5"}`, all, ""},
		{"JSON whatever its type", "json", false, "text/html", `{"tier":"gold","score":"7.5"}`, all, ""},
		{"JSON without a type", "", false, "", `{"tier":"gold","score":"7.5"}`, all, ""},
		{"JSON arrays", "", false, "application/json", `{"tier":["gold"],"score":{"now":7.5}}`, map[string]any{},
			"not returned: tier (a list; only flat values are taken), score (an object; only flat values are taken)"},
		{"JSON with a byte order mark", "", false, "application/json", "\ufeff" + `{"tier":"gold","score":"7.5"}`, all, ""},
		{"JSON in UTF-16 with a mark", "json", false, "application/json", utf16LE(`{"tier":"gold","score":"7.5"}`), all, ""},
		{"JSON in UTF-16 by its header", "", false, "application/json; charset=UTF-16LE", strings.TrimPrefix(utf16LE(`{"tier":"gold","score":"7.5"}`), "\xff\xfe"), all, ""},
		{"JSON in Latin-1 by its header", "", false, "application/json; charset=ISO-8859-1", "{\"tier\":\"g\xf6ld\",\"score\":\"7.5\"}", map[string]any{"tier": "göld", "score": "7.5"}, ""},
		{"JSON in Windows-1252 by its header", "json", false, "text/plain;charset=windows-1252", "{\"tier\":\"\x8050\",\"score\":\"7.5\"}", map[string]any{"tier": "€50", "score": "7.5"}, ""},
		{"JSON in UTF-8 that says Latin-1", "", false, "application/json; charset=ISO-8859-1", `{"tier":"göld","score":"7.5"}`, map[string]any{"tier": "göld", "score": "7.5"}, ""},
		{"JSON in Latin-1 that does not say so", "", false, "application/json", "{\"tier\":\"g\xf6ld\"}", nil, "no values returned: the response is not in UTF-8 and names no other charset"},
		{"JSON in Latin-1 that says UTF-8", "", false, "application/json; charset=utf-8", "{\"tier\":\"g\xf6ld\"}", nil, "no values returned: the response is not in UTF-8 and names no other charset"},
		{"JSON in an unknown charset", "", false, "application/json; charset=x-nothing", "{\"tier\":\"g\xf6ld\"}", nil, "no values returned: the response is in an unknown charset"},
		{"JSON with a NUL", "", false, "application/json", `{"tier":"01\u00006","score":"7.5"}`, map[string]any{"score": "7.5"}, "not returned: tier (contains a NUL character)"},
		{"JSON with a control character", "", false, "application/json", `{"tier":"01\u001b[0m","score":"a\tb\r\nc"}`, map[string]any{"score": "a\tb\r\nc"}, "not returned: tier (contains the control character U+001B)"},
		{"JSON with a name twice", "", false, "application/json", `{"tier":"gold","score":"7.5","tier":"silver"}`, map[string]any{"score": "7.5"}, "not returned: tier (occurs more than once)"},
		{"JSON with a name twice, escaped", "", false, "application/json", `{"tier":null,"score":"7.5","\u0074ier":"silver"}`, map[string]any{"score": "7.5"}, "not returned: tier (occurs more than once)"},
		{"JSON with another name twice", "", false, "application/json", `{"tier":"gold","x":1,"x":2,"score":"7.5","y":{"a":1,"a":2}}`, all, ""},
		{"JSON with white space behind it", "", false, "application/json", "{\"tier\":\"gold\",\"score\":\"7.5\"}\r\n ", all, ""},
		{"JSON with more after it", "", false, "application/json", `{"tier":"gold","score":"7.5"}{"tier":"silver"}`, nil, "no values returned: the response has data after its JSON object"},
		{"JSON with nonsense after it", "", false, "application/json", `{"tier":"gold","score":"7.5"}]`, nil, "no values returned: the response has data after its JSON object"},
		{"JSON that is cut off", "", false, "application/json", `{"tier":"gold","score":"7.5"`, nil, "no values returned: the response is not a JSON object"},
		{"JSON with an endless number of lists", "", false, "application/json", `{"tier":` + strings.Repeat("[", 60000), nil, "no values returned: the response is not a JSON object"},
		{"text with a byte order mark", "text", false, "text/plain", "\ufefftier=gold\nscore=7.5", all, ""},
		{"text in Latin-1", "text", false, "text/plain; charset=latin1", "tier=g\xf6ld\nscore=7.5", map[string]any{"tier": "göld", "score": "7.5"}, ""},
		{"text with a NUL", "text", false, "text/plain", "tier=a\x00b\nscore=7.5", map[string]any{"score": "7.5"}, "not returned: tier (contains a NUL character)"},
		{"a form with a NUL", "", false, "application/x-www-form-urlencoded", "tier=%00&score=7.5", map[string]any{"score": "7.5"}, "not returned: tier (contains a NUL character)"},
		{"a form that is no UTF-8", "", false, "application/x-www-form-urlencoded", "tier=g%F6ld&score=7.5", map[string]any{"score": "7.5"}, "not returned: tier (not in UTF-8)"},
		{"XML by its type", "", false, "application/xml", "<r>\n <tier>gold</tier> <score> 7.5 </score></r>", all, ""},
		{"XML of a suite", "", false, "application/vnd.x+xml", `<r xmlns="urn:x"><tier>gold</tier><score>7.5</score></r>`, all, ""},
		{"XML whatever its type", "xml", false, "text/plain", `<r><tier>gold</tier><score>7.5</score></r>`, all, ""},
		{"XML in Latin-1", "xml", false, "text/xml", "<?xml version='1.0' encoding='ISO-8859-1'?><r><tier>g\xf6ld</tier><score>1</score></r>", map[string]any{"tier": "göld", "score": "1"}, ""},
		{"XML hierarchy", "xml", false, "", `<r><tier><name>gold</name></tier><score>1</score><score>2</score></r>`, map[string]any{},
			"not returned: tier (an object; only flat values are taken), score (a list; only flat values are taken)"},
		{"XML nil", "xml", false, "", `<r xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><tier xsi:nil="true"/><score/></r>`, map[string]any{"score": ""}, "not returned: tier (null)"},
		{"broken XML", "xml", false, "", `<r><tier>gold</r>`, nil, "no values returned: the response is not complete XML"},
		{"no XML", "xml", false, "", `{"tier":1}`, nil, "no values returned: the response is not XML with values in it"},
		{"an unknown charset", "xml", false, "", `<?xml version="1.0" encoding="EBCDIC"?><r><tier>1</tier></r>`, nil, "no values returned: the response is not XML with values in it"},
		{"text", "text", false, "text/plain", "tier=gold\r\nscore: 7.5\nnothing here\n", all, ""},
		{"text with a name twice", "text", false, "text/plain", "tier=gold\ntier=silver\nscore=7.5", map[string]any{"score": "7.5"}, "not returned: tier (a list; only flat values are taken)"},
		{"text without values", "text", false, "text/plain", "thank you", nil, "no values returned: the response has no lines of name=value"},
		{"a form", "", false, "application/x-www-form-urlencoded", "tier=go%6Cd&score=7.5", all, ""},
		{"a broken form", "", false, "application/x-www-form-urlencoded", "tier=%zz", nil, "no values returned: the response is not a form"},
		{"SOAP", "", true, "text/xml", envelope11 + `<m:R xmlns:m="urn:x"><tier>gold</tier><score>7.5</score></m:R></soap:Body></soap:Envelope>`, all, ""},
		{"SOAP with nothing in it", "", true, "text/xml", envelope11 + `</soap:Body></soap:Envelope>`, nil, "no values returned: the response is not XML with values in it"},
		{"SOAP in a multipart response", "", true, related, mtom("--b1\r\n"+xop, envelope11+`<m:R xmlns:m="urn:x"><tier>gold</tier><score>7.5</score></m:R></soap:Body></soap:Envelope>`), all, ""},
		{"SOAP in Latin-1 in a multipart response", "", true, related,
			mtom("--b1\r\nContent-Type: text/xml; charset=iso-8859-1\r\nContent-ID: <root@x>\r\n\r\n", strings.Replace(envelope11, ` version="1.0"`, ` version="1.0" encoding="ISO-8859-1"`, 1)+
				"<R><tier>g\xf6ld</tier><score>1</score></R></soap:Body></soap:Envelope>"), map[string]any{"tier": "göld", "score": "1"}, ""},
		{"too long", "", false, "application/json", `{"tier":"` + strings.Repeat("x", 4097) + `","score":"7.5"}`, map[string]any{"score": "7.5"}, "not returned: tier (longer than 4096 bytes)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := serve(t, answering(c.contentType, 200, c.body))
			policy := newPolicy()
			policy.Accept, policy.SOAP = c.accept, c.soap
			policy.Returns = []delivery.Return{{From: "tier", To: "tier"}, {From: "score", To: "score"}}
			o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
			assert.Equal(t, contract.VerdictDelivered, o.Verdict, "whatever the response, the receiver has the request")
			assert.Equal(t, c.want, o.Returns)
			assert.Equal(t, c.message, o.Message)
		})
	}
}
