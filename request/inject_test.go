package request_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"segue/dispatch"
	"segue/interaction"
	"segue/request"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// corpus is data that breaks out of what is built by pasting text together.
var corpus = map[string]string{
	"quotes":        `a"b'c\d`,
	"json":          `","admin":true,"x":"`,
	"markup":        `</x><script>&amp;<![CDATA[`,
	"lines":         "a\r\nX-Evil: 1\r\n\r\nGET / HTTP/1.1",
	"newline":       "a\nb",
	"expression":    `${1+1} ${interaction.id} ${`,
	"element":       `#ani# #nope#`,
	"both":          `${"#ani#"}`,
	"null":          "a\x00b",
	"escape":        "a\x1b[31mb",
	"right to left": "abc\u202egnp.exe\u200f",
	"four bytes":    "😀𝄞\U0010FFFD",
	"separators":    "a&b=c;d?e#f/g%2Fh%00+i j",
	"path":          "../../admin",
	"long":          strings.Repeat("ä", 1000),
	"spaces":        " a b ",
	"line sep":      "a\u2028b\u2029c",
	"go template":   `{{.Secret}} %s %n`,
	"yaml":          "a: b\n- c",
}

// received is what a real HTTP server reads of a request.
func received(t *testing.T, r dispatch.Request) (*http.Request, []byte) {
	t.Helper()
	out, err := http.NewRequest(r.Method, r.URL, strings.NewReader(r.Body))
	require.NoError(t, err)
	for _, h := range r.Headers {
		out.Header.Add(h.Name, h.Value)
	}
	var wire bytes.Buffer
	require.NoError(t, out.Write(&wire))
	in, err := http.ReadRequest(bufio.NewReader(&wire))
	require.NoError(t, err)
	body, err := io.ReadAll(in.Body)
	require.NoError(t, err)
	require.Zero(t, wire.Len(), "nothing may follow the request on the wire")
	return in, body
}

// evil is an interaction whose every fact of the platform's is the value.
func evil(value string) (*interaction.View, *interaction.Event) {
	v := view()
	v.Agent = &interaction.Agent{ID: value, Name: value, Fields: map[string]any{"team": value}}
	v.Interaction.ANI = value
	v.UserData = map[string]any{"x": value, "deep": map[string]any{value: []any{value}}}
	return v, event()
}

// written fills a value into every place of a call.
const written = "${user_data.x}"

func TestWhatAReceiverReadsIsWhatWentIn(t *testing.T) {
	places := []struct {
		name string
		spec func(*request.Spec)
		read func(t *testing.T, in *http.Request, body []byte) string
	}{
		{"path segment", func(s *request.Spec) { s.URL = "https://h.example.com/a/" + written + "/b" },
			func(t *testing.T, in *http.Request, _ []byte) string {
				segments := strings.Split(in.URL.EscapedPath(), "/")
				require.Len(t, segments, 4, "the value stays one segment")
				value, err := url.PathUnescape(segments[2])
				require.NoError(t, err)
				return value
			}},
		{"query of the url", func(s *request.Spec) { s.URL = "https://h.example.com/a?x=" + written + "&y=1" }, readQuery},
		{"query", func(s *request.Spec) { s.Query = pairs("x", written, "y", "1") }, readQuery},
		{"query by element", func(s *request.Spec) { s.Query = pairs("x", "#ani#", "y", "1") }, readQuery},
		{"form", func(s *request.Spec) { s.Form = pairs("x", written, "y", "1") },
			func(t *testing.T, _ *http.Request, body []byte) string {
				values, err := url.ParseQuery(string(body))
				require.NoError(t, err)
				require.Len(t, values, 2)
				return values.Get("x")
			}},
		{"json", func(s *request.Spec) { s.JSON = tree(t, `{x: "${user_data.x}", y: 1}`) }, readJSON},
		{"json by element", func(s *request.Spec) { s.JSON = tree(t, `{x: "#agent_id#", y: 1}`) }, readJSON},
		{"json in text", func(s *request.Spec) { s.JSON = tree(t, `{x: "<${user_data.x}>", y: 1}`) },
			func(t *testing.T, in *http.Request, body []byte) string {
				return strings.TrimSuffix(strings.TrimPrefix(readJSON(t, in, body), "<"), ">")
			}},
		{"json key and list", func(s *request.Spec) { s.JSON = tree(t, `{x: "${user_data.deep}"}`) },
			func(t *testing.T, _ *http.Request, body []byte) string {
				var read struct{ X map[string][]string }
				require.NoError(t, json.Unmarshal(body, &read))
				require.Len(t, read.X, 1)
				for key, list := range read.X {
					require.Equal(t, []string{key}, list)
					return key
				}
				return ""
			}},
		{"text", func(s *request.Spec) { text := written; s.Text = &text },
			func(_ *testing.T, _ *http.Request, body []byte) string { return string(body) }},
	}
	for _, place := range places {
		for name, value := range corpus {
			t.Run(place.name+"/"+name, func(t *testing.T) {
				template := compiled(t, call(t, "", place.spec))
				v, e := evil(value)
				r, err := template.Render("msg_1", v, e)
				require.NoError(t, err)
				in, body := received(t, r)
				assert.Equal(t, value, place.read(t, in, body))
			})
		}
	}
}

func readQuery(t *testing.T, in *http.Request, _ []byte) string {
	values, err := url.ParseQuery(in.URL.RawQuery)
	require.NoError(t, err)
	require.Len(t, values, 2, "no parameter is added or lost")
	return values.Get("x")
}

func readJSON(t *testing.T, _ *http.Request, body []byte) string {
	var read map[string]any
	require.NoError(t, json.Unmarshal(body, &read))
	require.Len(t, read, 2, "no member is added or lost")
	return read["x"].(string)
}

func TestHeadersCarryAValueOrParkTheDelivery(t *testing.T) {
	template := compiled(t, call(t, "", func(s *request.Spec) { s.Headers = pairs("X-Value", written) }))
	for name, value := range corpus {
		t.Run(name, func(t *testing.T) {
			v, e := evil(value)
			r, err := template.Render("msg_1", v, e)
			if strings.ContainsAny(value, "\r\n\x00\x1b") {
				require.ErrorContains(t, err, "a header cannot hold the character U+00")
				assert.Equal(t, err.Error(), r.Fault)
				assert.NotContains(t, r.Fault, "Evil", "a fault quotes no data")
				return
			}
			require.NoError(t, err)
			in, _ := received(t, r)
			assert.Equal(t, strings.Trim(value, " "), in.Header.Get("X-Value"))
			assert.Empty(t, in.Header.Get("X-Evil"))
		})
	}
}

func TestXMLCarriesAValueOrParksTheDelivery(t *testing.T) {
	template := compiled(t, call(t, "", func(s *request.Spec) {
		s.XML = &request.XML{Root: "Call", Body: tree(t, `{"@a": "${user_data.x}", X: "${user_data.x}"}`)}
	}))
	for name, value := range corpus {
		t.Run(name, func(t *testing.T) {
			v, e := evil(value)
			r, err := template.Render("msg_1", v, e)
			if strings.ContainsAny(value, "\x00\x1b") {
				require.ErrorContains(t, err, "XML cannot hold the character U+00")
				return
			}
			require.NoError(t, err)
			var read struct {
				A string `xml:"a,attr"`
				X string
			}
			require.NoError(t, xml.Unmarshal([]byte(r.Body), &read))
			assert.Equal(t, value, read.A)
			assert.Equal(t, value, read.X)
		})
	}
}

func TestNoValueMakesADotSegment(t *testing.T) {
	template := compiled(t, call(t, "", func(s *request.Spec) { s.URL = "https://h.example.com/a/${user_data.x}/${user_data.x}b" }))
	for _, value := range []string{".", ".."} {
		v, e := evil(value)
		_, err := template.Render("msg_1", v, e)
		assert.ErrorContains(t, err, "render: url: a value makes a . or .. segment")
	}
}
