package e2e_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// envelope is a SOAP request as a service reads it.
type envelope struct {
	XMLName xml.Name
	Body    struct {
		Operation struct {
			XMLName xml.Name
			Inputs  []struct {
				XMLName xml.Name
				Text    string `xml:",chardata"`
			} `xml:",any"`
		} `xml:",any"`
	}
}

// inputs are the operation's, as name=text in their order.
func (e envelope) inputs(namespace string) []string {
	list := []string{e.Body.Operation.XMLName.Space + " " + e.Body.Operation.XMLName.Local}
	for _, in := range e.Body.Operation.Inputs {
		name := in.XMLName.Local
		if in.XMLName.Space != namespace {
			name = "{" + in.XMLName.Space + "}" + name
		}
		list = append(list, name+"="+in.Text)
	}
	return list
}

func TestTheExampleOfEngageVoiceSendsWhatItSays(t *testing.T) {
	t.Setenv("COLLECTOR_USER", "segue")
	t.Setenv("COLLECTOR_PASSWORD", "secret-1")
	e := newEnv(t)
	o := newOffice(t, func(w http.ResponseWriter, d delivered) {
		if strings.HasPrefix(d.path, "/soap") {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Done/></s:Body></s:Envelope>`)
		}
	})
	e.startExample("engage-voice.yaml", o.URL, "https://collector.example.com", "https://shop.example.com")
	at := func(minute, second int) string {
		return fmt.Sprintf(`"at":"2020-04-22T10:%02d:%02dZ"`, minute, second)
	}

	// A call that waits, is passed on, and gets two dispositions.
	e.begin("in", "inbound", `"native_id":"202004221000000131070000000400","queue":"sales","ani":"+1 650 555 0123","dnis":"+18005550100",`+
		`"user_data":{"lead_id":"L-7","recording_url":"https://rec.example.com/1.wav"},`+at(0, 0))
	e.do("in",
		`dtmf {"digits":"12#",`+at(0, 5)+`}`,
		`place_in_queue {"queue":"sales",`+at(0, 10)+`}`,
		`queue_event {"event":"PLAY-AUDIO-LOOP:holdmusic",`+at(0, 20)+`}`,
		`accept {"agent":{"id":"7","name":"Ada Lovelace","username":"ada@example.com","extern_id":"crm-7"},`+at(0, 40)+`}`,
		`transfer {"to":{"agent":{"id":"8","name":"Grace Hopper","username":"grace@example.com"}},"by":{"id":"7","role":"agent"},`+at(1, 40)+`}`,
		`disconnect {`+at(2, 30)+`}`,
		`set_disposition {"code":"NI","notes":"asked <twice> & left",`+at(2, 45)+`}`,
		`set_disposition {"code":"SOLD","agent":"7",`+at(3, 0)+`}`,
		`complete {`+at(3, 0)+`}`)
	e.over("in")

	queue := e.arrived(o, "/queue", 1)[0]
	require.Equal(t, "GET", queue.method)
	require.Equal(t, "uii=202004221000000131070000000400&queue=sales&enqueued=2020-04-22+10%3A00%3A10.0000&dequeued=2020-04-22+10%3A00%3A40.0000&waited=30", queue.query)
	require.Equal(t, "Basic c2VndWU6c2VjcmV0LTE=", queue.header.Get("Authorization"))
	require.Equal(t, "12#", e.arrived(o, "/tones/202004221000000131070000000400", 1)[0].body)
	require.Equal(t, "uii=202004221000000131070000000400&queue=sales&event=PLAY-AUDIO-LOOP%3Aholdmusic", e.arrived(o, "/queue/events", 1)[0].query)

	var connected []string
	for _, d := range e.arrived(o, "/agents", 2) {
		require.Equal(t, e.name, d.header.Get("X-Account"))
		v := values(t, d.body)
		require.Equal(t, "+1 650 555 0123", v.Get("ani"))
		connected = append(connected, strings.Join([]string{v.Get("agent_id"), v.Get("agent"), v.Get("username")}, ", "))
	}
	require.Equal(t, []string{"7, Ada Lovelace, ada@example.com", "8, Grace Hopper, grace@example.com"}, connected)

	ended := e.arrived(o, "/recordings", 2)
	require.JSONEq(t, `{"agentId":"7","agentUsername":"ada@example.com","ani":"+1 650 555 0123","dnis":"+18005550100","callStart":"2020-04-22 10:00:00.0000",
		"duration":"100","sessionDuration":"60","recordingUrl":"https://rec.example.com/1.wav"}`, ended[0].body)
	require.JSONEq(t, `{"agentId":"8","agentUsername":"grace@example.com","ani":"+1 650 555 0123","dnis":"+18005550100","callStart":"2020-04-22 10:00:00.0000",
		"duration":"150","sessionDuration":"50","recordingUrl":"https://rec.example.com/1.wav"}`, ended[1].body)
	require.JSONEq(t, `{"uii":"202004221000000131070000000400","agent":"8","seconds":"50"}`, e.arrived(o, "/transfers", 1)[0].body)

	call := read[struct {
		XMLName                                                       xml.Name `xml:"Call"`
		UII                                                           string   `xml:"uii,attr"`
		Direction, Start, End, Duration, AgentDuration, Result, Queue string
		Number                                                        struct{ Area, Exchange, Line string }
	}](t, e.arrived(o, "/calls", 1)[0].body)
	call.XMLName = xml.Name{}
	require.Equal(t, fmt.Sprint(call), "{{ } 202004221000000131070000000400 INBOUND 2020-04-22 10:00:00.0000 2020-04-22 10:02:30.0000 150 110 Connected sales {650 555 0123}}")

	var codes [][]string
	for _, d := range e.arrived(o, "/soap/dispositions", 2) {
		require.Equal(t, `"urn:example:dispositions#RecordDisposition"`, d.header.Get("SOAPAction"))
		require.Equal(t, "text/xml; charset=utf-8", d.header.Get("Content-Type"))
		require.Equal(t, "Basic c2VndWU6c2VjcmV0LTE=", d.header.Get("Authorization"))
		got := read[envelope](t, d.body)
		require.Equal(t, xml.Name{Space: "http://schemas.xmlsoap.org/soap/envelope/", Local: "Envelope"}, got.XMLName)
		codes = append(codes, got.inputs("urn:example:dispositions"))
	}
	require.Equal(t, [][]string{
		{"urn:example:dispositions RecordDisposition", "uii=202004221000000131070000000400", "agent_id=8", "code=Not interested", "notes=asked <twice> & left", "wrap_time=15"},
		{"urn:example:dispositions RecordDisposition", "uii=202004221000000131070000000400", "agent_id=7", "code=SOLD", "notes=", "wrap_time=80"},
	}, codes)
	sale := e.arrived(o, "/soap", 1)[0]
	require.Equal(t, `application/soap+xml; charset=utf-8; action="urn:example:shop:Sale"`, sale.header.Get("Content-Type"))
	got := read[envelope](t, sale.body)
	require.Equal(t, "http://www.w3.org/2003/05/soap-envelope", got.XMLName.Space)
	require.Equal(t, []string{"urn:example:shop Sale", "lead=L-7", "agent=crm-7", "notes="}, got.inputs(""))

	// An outbound call with a survey, and an agent who calls back.
	e.begin("out", "outbound", `"agent":{"id":"9","name":"Edsger"},"customer":{"extern_id":"x-1"},`+at(10, 0))
	e.do("out",
		`dial {"destination":"+16505550199",`+at(10, 0)+`}`,
		`connect {`+at(10, 5)+`}`,
		`survey {"answers":{"satisfied":"yes","why":"price & service"},`+at(10, 30)+`}`,
		`survey {"answers":{"score":9},`+at(10, 40)+`}`,
		`set_disposition {"code":"CALLBACK","notes":"after six",`+at(10, 50)+`}`,
		`complete {`+at(11, 0)+`}`)
	e.over("out")
	require.Equal(t, "uii=out&extern_id=x-1&satisfied=yes&score=9&why=price+%26+service", e.arrived(o, "/surveys", 1)[0].body)
	require.JSONEq(t, `{"number":"+16505550199","agent":"9","notes":"after six","lead":""}`, e.arrived(o, "/callbacks", 1)[0].body)
	require.Len(t, e.arrived(o, "/agents", 3), 3)
	require.JSONEq(t, `{"agentId":"9","agentUsername":null,"ani":"+16505550199","dnis":null,"callStart":"2020-04-22 10:10:00.0000","duration":"60",
		"sessionDuration":"55","recordingUrl":null}`, e.arrived(o, "/recordings", 3)[2].body)
	require.Contains(t, e.arrived(o, "/calls", 2)[1].body, "<Direction>OUTBOUND</Direction>")
	require.Contains(t, e.arrived(o, "/soap/dispositions", 3)[2].body, "<code>CALLBACK</code>")

	// Cloud routing, and a tracked number.
	e.begin("route", "cloud_routing", `"ani":"+16505550111","dnis":"+18005550111","user_data":{"cloud_destination_name":"Ulm"},`+at(20, 0))
	e.do("route", `connect {`+at(20, 10)+`}`, `disconnect {`+at(21, 0)+`}`)
	e.begin("track", "track_number", `"dnis":"+18005550122","user_data":{"media_code":"R-1"},`+at(30, 0))
	e.do("track", `connect {`+at(30, 10)+`}`, `disconnect {`+at(31, 40)+`}`)
	e.over("route", "track")
	for i, event := range []string{"start", "connect", "end"} {
		require.JSONEq(t, fmt.Sprintf(`{"event":"cloud_routing.%s","uii":"route","ani":"+16505550111","dnis":"+18005550111",
			"start":"2020-04-22 10:20:00.0000","destination":"Ulm"}`, event), e.arrived(o, "/routing", 3)[i].body)
	}
	require.Equal(t, "number=%2B18005550122&campaign=R-1&seconds=100&result=Connected", e.arrived(o, "/tracking", 1)[0].query)

	// A chat.
	e.begin("chat", "chat", `"queue":"sales","customer":{"email":"zoe@example.com"},`+at(40, 0))
	e.do("chat",
		`place_in_queue {"queue":"sales",`+at(40, 1)+`}`,
		`queue_event {"event":"SEND-MESSAGE:please wait",`+at(40, 11)+`}`,
		`offer {"agent":{"id":"7"},`+at(40, 21)+`}`,
		`accept {"agent":"7",`+at(40, 26)+`}`,
		`disconnect {`+at(42, 0)+`}`,
		`complete {"disposition":{"code":"SOLD"},`+at(42, 30)+`}`)
	e.over("chat")
	chats := e.arrived(o, "/chats", 5) // of two calls, whose lanes run side by side
	slices.SortStableFunc(chats, func(a, b delivered) int {
		return strings.Count(a.body, `"event"`) - strings.Count(b.body, `"event"`)
	})
	require.JSONEq(t, `{"uii":"chat","queue":"sales","enqueued":"2020-04-22 10:40:01.0000","email":"zoe@example.com"}`, chats[0].body)
	for i, want := range []string{`"chat.dequeue","duration":"21"`, `"chat.agent_connect","duration":"26"`, `"chat.agent_term","duration":"120"`, `"chat.end","duration":"120"`} {
		require.JSONEq(t, `{"uii":"chat","queue":"sales","agent":"7","waited":"20","event":`+want+`}`, chats[i+1].body)
	}
	require.Contains(t, e.arrived(o, "/queue/events", 2)[1].query, "event=SEND-MESSAGE%3Aplease+wait")
	require.Contains(t, e.arrived(o, "/soap/dispositions", 4)[3].body, "<code>SOLD</code>")
	require.Len(t, e.arrived(o, "/soap", 2), 2)
}
