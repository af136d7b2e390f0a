package wire_test

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"segue/contract"
)

// charge is a SOAP call with everything that a body may contain.
const charge = `name: billing
    method: POST
    url: URL/soap
    missing: omit
    soap:
      version: "VERSION"
      action: "urn:example:billing#Charge"
      namespace: urn:example:billing
      operation: Charge
      body:
        Account: ${interaction.contact_center}
        Seconds: "${durations.handle}"
        Begin: ${interaction.started_at}
        Tag: [fixed, "${user_data.tag}"]
        Agent: {"@id": "${agent.id}", "#text": "${agent.name}"}
        Answers: ${survey}
        Note: "from #ani#, ${user_data.note}"
`

// billing is a SOAP service: it reads the envelope with libxml2 and its schema, and answers as the SOAP version
// specifies.
type billing struct {
	version string
	// fault is the status of an answer that is a fault.
	fault int
	t     testing.TB
}

func (b *billing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // it is in memory
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	problem := ""
	switch {
	case err != nil || !strings.EqualFold(parameters["charset"], "utf-8"):
		problem = "Content-Type " + r.Header.Get("Content-Type")
	case b.version == "1.1" && (kind != "text/xml" || r.Header.Get("SOAPAction") != `"urn:example:billing#Charge"`):
		problem = "not SOAP 1.1: " + kind + ", SOAPAction " + r.Header.Get("SOAPAction")
	case b.version == "1.2" && (kind != "application/soap+xml" || parameters["action"] != "urn:example:billing#Charge" || r.Header["Soapaction"] != nil):
		problem = "not SOAP 1.2: " + kind + ", action " + parameters["action"]
	default:
		if out, ok := xmllint(b.t, body, "--noout", "--schema", "testdata/soap"+strings.ReplaceAll(b.version, ".", "")+".xsd"); !ok {
			problem = out
		}
	}
	w.Header().Set("Content-Type", map[string]string{"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}[b.version])
	if problem != "" {
		w.WriteHeader(b.fault)
		fmt.Fprintf(w, map[string]string{
			"1.1": `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring><![CDATA[%s]]></faultstring></s:Fault></s:Body></s:Envelope>`,
			"1.2": `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en"><![CDATA[%s]]></s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`,
		}[b.version], problem)
		return
	}
	fmt.Fprintf(w, `<s:Envelope xmlns:s=%q><s:Body><ChargeResponse xmlns="urn:example:billing"><Id>7</Id></ChargeResponse></s:Body></s:Envelope>`,
		map[string]string{"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}[b.version])
}

func TestASOAPServiceReadsWhatItsSchemaAsksFor(t *testing.T) {
	need(t, "xmllint", "libxml2-utils")
	sender := newSender(t)
	data := map[string]any{"tag": []any{"a", "b & c", "]]>"}, "note": "line one\r\nline two\t<x/> \u202e 😀"}
	for _, version := range []string{"1.1", "1.2"} {
		t.Run(version, func(t *testing.T) {
			r := newReceiver(t, (&billing{version, 500, t}).ServeHTTP)
			c := call(t, r.URL, strings.ReplaceAll(charge, "VERSION", version))
			require.True(t, c.Policy.SOAP)
			o := send(t, sender, c, "msg_soap_"+version, data)
			require.Equal(t, "ok", o.Class, o.Message+o.Excerpt)
			for path, want := range map[string]string{
				"string(//*[local-name()='Account'])":   "acme",
				"string(//*[local-name()='Seconds'])":   "95",
				"string(//*[local-name()='Begin'])":     "2026-01-15T09:30:00Z",
				"count(//*[local-name()='Tag'])":        "4",
				"string(//*[local-name()='Tag'][3])":    "b & c",
				"string(//*[local-name()='Tag'][4])":    "]]>",
				"string(//*[local-name()='Agent'])":     "Ada <Sample>",
				"string(//*[local-name()='Agent']/@id)": "a-1",
				"string(//*[local-name()='why'])":       "quick & kind",
				"string(//*[local-name()='Note'])":      "from +15550100123, line one\r\nline two\t<x/> \u202e 😀",
			} {
				out, ok := xmllint(t, r.got[0].body, "--xpath", path)
				require.True(t, ok, out)
				assert.Equal(t, want, strings.TrimSuffix(out, "\n"), path)
			}
		})
	}
}

// TestASOAPServiceRefusesWhatItsSchemaDoesNotAllow sends a request that violates the schema: the service rejects it,
// and the delivery is parked, whatever status the fault has.
func TestASOAPServiceRefusesWhatItsSchemaDoesNotAllow(t *testing.T) {
	need(t, "xmllint", "libxml2-utils")
	sender := newSender(t)
	id := 0
	for _, version := range []string{"1.1", "1.2"} {
		for _, status := range []int{200, 400, 500} {
			for name, change := range map[string][2]string{
				"missing element": {"        Account: ${interaction.contact_center}\n", ""},
				"wrong type":      {`"${durations.handle}"`, "soon"},
				"other namespace": {"namespace: urn:example:billing", "namespace: urn:example:other"},
				"other operation": {"operation: Charge", "operation: Refund"},
				"other version":   {`version: "VERSION"`, `version: "` + map[string]string{"1.1": "1.2", "1.2": "1.1"}[version] + `"`},
				"other action":    {"billing#Charge", "billing#Refund"},
			} {
				t.Run(fmt.Sprintf("%s/%d/%s", version, status, name), func(t *testing.T) {
					require.Contains(t, charge, change[0])
					r := newReceiver(t, (&billing{version, status, t}).ServeHTTP)
					id++
					text := strings.ReplaceAll(strings.ReplaceAll(charge, change[0], change[1]), "VERSION", version)
					o := send(t, sender, call(t, r.URL, text), fmt.Sprintf("msg_wrong_%d", id), nil)
					assert.Equal(t, "soap_fault", o.Class, o.Message)
					assert.Equal(t, contract.VerdictFinal, o.Verdict)
					assert.Equal(t, status, o.Code)
					assert.Contains(t, o.Message, map[string]string{"1.1": "SOAP fault Client", "1.2": "SOAP fault Sender"}[version])
				})
			}
		}
	}
}
