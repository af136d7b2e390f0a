package delivery_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/delivery"
)

const (
	fault11 = `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><t:x xmlns:t="urn:t"><t:Fault/></t:x></s:Header>
<s:Body><s:Fault><faultcode>s:%s</faultcode><faultstring>the account of Grace is closed</faultstring></s:Fault></s:Body></s:Envelope>`
	fault12 = `<?xml version="1.0"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body><env:Fault>
<env:Code><env:Value>env:%s</env:Value></env:Code><env:Reason><env:Text xml:lang="en">no</env:Text></env:Reason></env:Fault></env:Body></env:Envelope>`
	fine11 = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><Done xmlns="urn:b"><Fault>not ours</Fault></Done></Body></Envelope>`
)

const (
	related    = `multipart/related; type="application/xop+xml"; start="<root@x>"; start-info="text/xml"; boundary="b1"`
	xop        = "Content-Type: application/xop+xml; charset=UTF-8; type=\"text/xml\"\r\nContent-ID: <root@x>\r\n\r\n"
	noEnvelope = "the response is not a readable SOAP envelope, HTTP 200 OK"
)

// mtom is a multipart response with an attachment and the envelope as its last part.
func mtom(head, envelope string) string {
	return head + envelope + "\r\n--b1\r\nContent-Type: application/pdf\r\nContent-ID: <pdf@x>\r\n\r\n%PDF\r\n--b1--\r\n"
}

// utf16LE is text with a byte order mark.
func utf16LE(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}

func TestSOAPFaults(t *testing.T) {
	client, sender := fmt.Sprintf(fault11, "Client"), fmt.Sprintf(fault12, "Sender")
	retry, final, delivered := contract.VerdictRetry, contract.VerdictFinal, contract.VerdictDelivered
	for _, tc := range []struct {
		name    string
		status  int
		kind    string
		body    string
		class   string
		verdict contract.Verdict
		message string
	}{
		{"1.1 with 200", 200, "text/xml", client, "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"1.1 with 500", 500, "text/xml; charset=utf-8", client, "soap_fault", final, "SOAP fault Client, HTTP 500 Internal Server Error"},
		{"1.1 of the server with 200", 200, "text/xml", fmt.Sprintf(fault11, "Server"), "soap_fault", retry, "SOAP fault Server, HTTP 200 OK"},
		{"1.1 of the server with 500", 500, "text/xml", fmt.Sprintf(fault11, "Server"), "soap_fault", retry, "SOAP fault Server, HTTP 500 Internal Server Error"},
		{"1.1 refined", 500, "text/xml", fmt.Sprintf(fault11, "Client.Authentication"), "soap_fault", final, "SOAP fault Client.Authentication, HTTP 500 Internal Server Error"},
		{"1.1 with a code of its own", 500, "text/xml", fmt.Sprintf(fault11, "E4711 &lt;b&gt;"), "soap_fault", retry, "the response is a SOAP fault, HTTP 500 Internal Server Error"},
		{"1.2 with 200", 200, "application/soap+xml", fmt.Sprintf(fault12, "Receiver"), "soap_fault", retry, "SOAP fault Receiver, HTTP 200 OK"},
		{"1.2 with 400", 400, "application/soap+xml", sender, "soap_fault", final, "SOAP fault Sender, HTTP 400 Bad Request"},
		{"1.2 with 500", 500, "application/soap+xml", fmt.Sprintf(fault12, "Receiver"), "soap_fault", retry, "SOAP fault Receiver, HTTP 500 Internal Server Error"},
		{"1.2 must understand", 500, "application/soap+xml", fmt.Sprintf(fault12, "MustUnderstand"), "soap_fault", final, "SOAP fault MustUnderstand, HTTP 500 Internal Server Error"},
		{"in UTF-16", 200, "text/xml", utf16LE(client), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"in UTF-16, that says so", 200, "text/xml", utf16LE(`<?xml version="1.0" encoding="utf-16"?>` + client), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"in Latin 1 by its own word", 200, "text/xml", `<?xml version="1.0" encoding="ISO-8859-1"?><!-- ` + "\xe9" + ` -->` + client, "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"in Latin 1 by the header", 200, "text/xml; charset=iso-8859-1", `<!-- ` + "\xe9" + ` -->` + client, "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"cut off", 500, "text/xml", client[:strings.Index(client, "faultcode>s:")], "soap_fault", retry, "the response is a SOAP fault, HTTP 500 Internal Server Error"},

		{"an answer", 200, "text/xml", fine11, "ok", delivered, ""},
		{"no answer", 202, "", "", "ok", delivered, ""},
		{"an empty body", 200, "text/xml", `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>`, "ok", delivered, ""},
		{"another envelope", 200, "text/xml", strings.ReplaceAll(client, "schemas.xmlsoap.org", "example.com"), "unexpected", retry, noEnvelope},
		{"a fault beside the body", 200, "text/xml", `<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Header><Fault/></Header><Body><a/><Fault/></Body></Envelope>`, "ok", delivered, ""},
		{"a page", 200, "text/html", "<html><body>Fault", "unexpected", retry, noEnvelope},
		{"JSON", 200, "application/json", `{"ok":true}`, "unexpected", retry, noEnvelope},
		{"an envelope cut off before its body", 200, "text/xml", fine11[:strings.Index(fine11, "<Body>")], "unexpected", retry, noEnvelope},
		{"an envelope cut off in its body", 200, "text/xml", fine11[:strings.Index(fine11, "<Done")], "unexpected", retry, noEnvelope},
		{"an envelope cut off behind its content", 200, "text/xml", fine11[:strings.Index(fine11, "</Fault>")], "ok", delivered, ""},
		{"a document type", 200, "text/xml", `<!DOCTYPE x []>` + fine11, "unexpected", retry, noEnvelope},
		{"an unknown encoding", 200, "text/xml", `<?xml version="1.0" encoding="EBCDIC"?>` + fine11, "unexpected", retry, noEnvelope},
		{"white space", 200, "text/xml", "\r\n", "ok", delivered, ""},

		{"MTOM with 200", 200, related, mtom("--b1\r\n"+xop, client), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM with 500", 500, related, mtom("--b1\r\n"+xop, client), "soap_fault", final, "SOAP fault Client, HTTP 500 Internal Server Error"},
		{"MTOM of the server", 500, related, mtom("--b1\r\n"+xop, fmt.Sprintf(fault11, "Server")), "soap_fault", retry, "SOAP fault Server, HTTP 500 Internal Server Error"},
		{"MTOM of 1.2", 200, related, mtom("--b1\r\n"+xop, fmt.Sprintf(fault12, "Receiver")), "soap_fault", retry, "SOAP fault Receiver, HTTP 200 OK"},
		{"MTOM of 1.2 by the sender", 500, related, mtom("--b1\r\n"+xop, sender), "soap_fault", final, "SOAP fault Sender, HTTP 500 Internal Server Error"},
		{"MTOM that is fine", 200, related, mtom("--b1\r\n"+xop, fine11), "ok", delivered, ""},
		{"MTOM with the root behind an attachment", 200, related,
			mtom("--b1\r\nContent-Type: text/xml\r\nContent-ID: <a@x>\r\n\r\n"+fine11+"\r\n--b1\r\n"+xop, client), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM with a start that is not there", 200, strings.Replace(related, "root@x", "other@x", 1), mtom("--b1\r\n"+xop, client), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM without a start", 200, `Multipart/Related; boundary=b1`, mtom("--b1\r\n"+xop, client), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM with a header that breaks the rules", 200, `multipart/related; type=application/xop+xml; start=<root@x>; boundary=b1`,
			mtom("--b1\r\n"+xop, client), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM with a preamble and bare line feeds", 200, related, strings.ReplaceAll(mtom("hello\r\n--b1\r\n"+xop, client), "\r\n", "\n"), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM in base64", 200, related, mtom("--b1\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: BASE64\r\nContent-ID: root@x\r\n\r\n",
			base64.StdEncoding.EncodeToString([]byte(client))), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM in quoted-printable", 200, related, mtom("--b1\r\nContent-Type: text/xml\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-ID: <root@x>\r\n\r\n",
			strings.ReplaceAll(client, "=", "=3D")), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM in UTF-16", 200, related, mtom("--b1\r\nContent-Type: text/xml; charset=utf-16\r\nContent-ID: <root@x>\r\n\r\n", utf16LE(client)), "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM cut off behind the fault's code", 200, related, strings.Split(mtom("--b1\r\n"+xop, client), "<faultstring>")[0], "soap_fault", final, "SOAP fault Client, HTTP 200 OK"},
		{"MTOM cut off before its root", 200, related, "--b1\r\nContent-Type: text/xm", "unexpected", retry, noEnvelope},
		{"MTOM without parts", 200, related, "--b1--\r\n", "unexpected", retry, noEnvelope},
		{"MTOM with another boundary", 200, related, mtom("--b2\r\n"+xop, client), "unexpected", retry, noEnvelope},
		{"MTOM with a page in it", 200, related, mtom("--b1\r\nContent-Type: text/html\r\nContent-ID: <root@x>\r\n\r\n", "<html>"), "unexpected", retry, noEnvelope},
		{"another failure", 503, "text/xml", client, "http_5xx", retry, "HTTP 503 Service Unavailable"},
		{"another refusal", 403, "text/xml", client, "http_4xx", final, "HTTP 403 Forbidden"},
		{"no fault with 500", 500, "text/html", "<h1>Oops</h1>", "http_5xx", retry, "HTTP 500 Internal Server Error"},
		{"fault after a document type", 500, "text/xml", `<!DOCTYPE x []>` + client, "http_5xx", retry, "HTTP 500 Internal Server Error"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.kind)
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			policy := newPolicy()
			policy.SOAP = true
			o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
			assert.Equal(t, tc.class, o.Class)
			assert.Equal(t, tc.verdict, o.Verdict)
			assert.Equal(t, tc.message, o.Message)
			assert.Equal(t, tc.status, o.Code)
			assert.Equal(t, tc.class != "ok", o.Excerpt != "")
			assert.Equal(t, o.Verdict == retry, o.RetryIn > 0)
		})
	}

	// A page does not show that the receiver has accepted the request.
	server := serve(t, answering("text/html", 200, "<html>"))
	policy := newPolicy()
	policy.SOAP, policy.Idempotent = true, false
	o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
	assert.Equal(t, final, o.Verdict)
	assert.Equal(t, noEnvelope+"; the receiver may have the request, and the call is not idempotent: check there, then redeliver or discard", o.Message)

	server = serve(t, write(200, client))
	o = newSender(t).Send(context.Background(), newPolicy(), newRequest(server.URL), 1)
	assert.Equal(t, "ok", o.Class, "only a SOAP call's response is an envelope")
	policy = newPolicy()
	policy.SOAP, policy.Final = true, []delivery.StatusRange{{From: 200, To: 200}}
	policy.Success = []delivery.StatusRange{{From: 200, To: 299}}
	server = serve(t, write(200, fmt.Sprintf(fault11, "Server")))
	o = newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
	assert.Equal(t, contract.VerdictFinal, o.Verdict, "the call's own final statuses take precedence over the fault's code")
}

// No entity of a response is expanded, nothing is fetched, and its depth is bounded.
func TestXMLThatAttacksItsParser(t *testing.T) {
	var fetched atomic.Int32
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { fetched.Add(1) })
	envelope := func(faultcode string) string {
		return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>` + faultcode + `</faultcode></s:Fault></s:Body></s:Envelope>`
	}
	laughs := `<!DOCTYPE lolz [<!ENTITY a0 "lol">`
	for i := 1; i < 10; i++ {
		laughs += fmt.Sprintf(`<!ENTITY a%d "%s">`, i, strings.Repeat(fmt.Sprintf("&a%d;", i-1), 10))
	}
	for name, body := range map[string]string{
		"external entity":   `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + envelope("&e;"),
		"entity by HTTP":    `<!DOCTYPE x [<!ENTITY e SYSTEM "` + elsewhere.URL + `/e">]>` + envelope("&e;"),
		"external DTD":      `<!DOCTYPE x SYSTEM "` + elsewhere.URL + `/dtd">` + envelope("s:Client"),
		"parameter entity":  `<!DOCTYPE x [<!ENTITY % p SYSTEM "` + elsewhere.URL + `/p"> %p;]>` + envelope("s:Client"),
		"billion laughs":    laughs + "]>" + envelope("&a9;"),
		"XInclude":          strings.Replace(envelope("s:x"), "s:x", `<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="`+elsewhere.URL+`/i" parse="text"/>`, 1),
		"schema location":   strings.Replace(envelope("s:x"), "<s:Body>", `<s:Body xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="urn:x `+elsewhere.URL+`/xsd">`, 1),
		"stylesheet":        `<?xml-stylesheet href="` + elsewhere.URL + `/xsl"?>` + envelope("s:x"),
		"deep":              `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>` + strings.Repeat("<a>", 1<<20),
		"many":              `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>` + strings.Repeat("<a/>", 1<<20),
		"wide":              `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ` + strings.Repeat(`a="" `, 1<<20),
		"endless code":      envelope(strings.Repeat("x", 4<<20)),
		"unknown character": envelope("&#xfffffffff;"),
		"unknown encoding":  `<?xml version="1.0" encoding="x-nothing"?>` + envelope("s:Client"),
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/xml")
				w.WriteHeader(500)
				_, _ = io.WriteString(w, body)
			})
			policy := newPolicy()
			policy.SOAP, policy.Limits.Response = true, 16<<20
			policy.Returns = []delivery.Return{{From: "x", To: "y"}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			o := newSender(t).Send(context.Background(), policy, newRequest(server.URL), 1)
			runtime.ReadMemStats(&after)
			require.Contains(t, []string{"http_5xx", "soap_fault"}, o.Class)
			assert.LessOrEqual(t, len(o.Message)+len(o.Excerpt), 300+512)
			assert.NotContains(t, o.Message+o.Excerpt, "root:", "no file is read")
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(96<<20), "nothing is expanded")
		})
	}
	assert.Zero(t, fetched.Load(), "nothing is fetched")
}
