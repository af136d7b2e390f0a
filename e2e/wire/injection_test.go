package wire_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/config"
	"segue/delivery"
)

// place is one place of a call that a value can be written into.
type place struct {
	name string
	// call is the call's configuration, with the value in user_data.x or, as an
	// element, the caller's number.
	call string
	// read is the value that a receiver reads there.
	read func(t require.TestingT, in received) string
	// want is what it must read, or why there is no request.
	want func(value string) (text, fault string)
	// headers are those of the request beside those that all have.
	headers []string
}

const post = "name: c\n    method: POST\n    missing: empty\n    "

var places = []place{
	{"path", post + "url: URL/a/${user_data.x}/b", readPath, inPath(""), nil},
	{"path within text", post + "url: URL/a/v-${user_data.x}-v/b", func(t require.TestingT, in received) string { return unwrapped(t, readPath(t, in), "v-", "-v") }, inPath("v-"), nil},
	{"path by element", post + "url: 'URL/a/#ani#/b'", readPath, inPath(""), nil},
	{"query of the URL", post + "url: URL/a?x=${user_data.x}&y=1", readQuery, inURL, nil},
	{"query", post + "url: URL/a\n    query: [{name: x, value: '${user_data.x}'}, {name: y, value: '1'}]", readQuery, inURL, nil},
	{"query by element", post + "url: URL/a\n    query: [{name: x, value: '#ani#'}, {name: y, value: '1'}]", readQuery, inURL, nil},
	{"header", post + "url: URL/a\n    headers: [{name: X-Value, value: '${user_data.x}'}]", readHeader, inHeader, []string{"X-Value"}},
	{"header by element", post + "url: URL/a\n    headers: [{name: X-Value, value: '#ani#'}]", readHeader, inHeader, []string{"X-Value"}},
	{"header beside the attempt", post + "url: URL/a\n    headers: [{name: X-Value, value: '<${user_data.x}${delivery.attempt}>'}]",
		func(t require.TestingT, in received) string { return unwrapped(t, readHeader(t, in), "<", "1>") }, inPaddedHeader, []string{"X-Value"}},
	{"content type", post + "url: URL/a\n    headers: [{name: Content-Type, value: 'text/x; v=${user_data.x}!'}]\n    text: a",
		func(t require.TestingT, in received) string {
			return unwrapped(t, in.header.Get("Content-Type"), "text/x; v=", "!")
		}, inPaddedHeader, []string{"Content-Type"}},
	{"json", post + "url: URL/a\n    json: {x: '${user_data.x}', y: 1}", readJSON, inJSON, typed},
	{"json within text", post + "url: URL/a\n    json: {x: '<${user_data.x}>', y: 1}",
		func(t require.TestingT, in received) string { return unwrapped(t, readJSON(t, in), "<", ">") }, inJSON, typed},
	{"json by element", post + "url: URL/a\n    json: {x: '#ani#', y: 1}", readJSON, inJSON, typed},
	{"json key and list", post + "url: URL/a\n    json: {x: '${user_data.deep}', y: 1}", readJSONKey, inJSONTwice, typed},
	{"form", post + "url: URL/a\n    form: [{name: x, value: '${user_data.x}'}, {name: y, value: '1'}]", readForm, inForm, typed},
	{"form by element", post + "url: URL/a\n    form: [{name: x, value: '#ani#'}, {name: y, value: '1'}]", readForm, inForm, typed},
	{"text", post + "url: URL/a\n    text: '${user_data.x}'", func(_ require.TestingT, in received) string { return string(in.body) }, same, typed},
	{"xml", post + "url: URL/a\n    xml: {root: R, body: {X: '${user_data.x}', Y: 1}}", readXML, inXML, typed},
	{"xml by element", post + "url: URL/a\n    xml: {root: R, namespace: 'urn:r', body: {X: '#ani#', Y: 1}}", readXML, inXML, typed},
	{"xml attribute", post + "url: URL/a\n    xml: {root: R, body: {X: {'@a': '${user_data.x}'}, Y: 1}}", readXMLAttribute, inXML, typed},
	{"xml list", post + "url: URL/a\n    xml: {root: R, body: {X: '${[user_data.x]}', Y: 1}}", readXML, inXML, typed},
	{"xml map", post + "url: URL/a\n    xml: {root: R, body: {Z: \"${{'X': user_data.x, 'Y': 1}}\"}}", readXML, inXML, typed},
	{"soap 1.1", post + "url: URL/a\n    soap: {operation: R, namespace: 'urn:r', body: {X: '${user_data.x}', Y: 1}}", readXML, inXML, []string{"Content-Type", "Soapaction"}},
	{"soap 1.2", post + "url: URL/a\n    soap: {version: '1.2', operation: R, namespace: 'urn:r', body: {X: '${user_data.x}', Y: 1}}", readXML, inXML, typed},
	{"soap attribute", post + "url: URL/a\n    soap: {operation: R, body: {X: {'@a': '${user_data.x}'}, Y: 1}}", readXMLAttribute, inXML, []string{"Content-Type", "Soapaction"}},
}

var typed = []string{"Content-Type"}

// unwrapped takes off what the call writes around a value.
func unwrapped(t require.TestingT, text, before, after string) string {
	value, ok := strings.CutPrefix(text, before)
	require.True(t, ok, text)
	value, ok = strings.CutSuffix(value, after)
	require.True(t, ok, text)
	return value
}

func readPath(t require.TestingT, in received) string {
	segments := strings.Split(in.uri, "/")
	require.Len(t, segments, 4, "the value stays one segment")
	value, err := url.PathUnescape(segments[2])
	require.NoError(t, err)
	return value
}

func readQuery(t require.TestingT, in received) string {
	_, query, _ := strings.Cut(in.uri, "?")
	return readPairs(t, query)
}

func readForm(t require.TestingT, in received) string { return readPairs(t, string(in.body)) }

func readPairs(t require.TestingT, text string) string {
	values, err := url.ParseQuery(text)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"x", "y"}, slices.Collect(maps.Keys(values)), "no parameter is added or lost")
	require.Len(t, values["x"], 1)
	require.Equal(t, []string{"1"}, values["y"])
	return values.Get("x")
}

func readHeader(t require.TestingT, in received) string {
	require.Len(t, in.header["X-Value"], 1)
	return in.header.Get("X-Value")
}

func readJSON(t require.TestingT, in received) string {
	require.True(t, utf8.Valid(in.body))
	var read map[string]any
	decoder := json.NewDecoder(bytes.NewReader(in.body))
	require.NoError(t, decoder.Decode(&read))
	require.False(t, decoder.More())
	require.Len(t, read, 2, "no member is added or lost")
	require.Equal(t, 1.0, read["y"])
	require.IsType(t, "", read["x"], "text stays text")
	return read["x"].(string)
}

func readJSONKey(t require.TestingT, in received) string {
	var read struct{ X map[string][]string }
	require.NoError(t, json.Unmarshal(in.body, &read))
	require.Len(t, read.X, 1)
	for key, list := range read.X {
		require.Equal(t, []string{key}, list)
		return key
	}
	return ""
}

// node is an element as a parser gives it.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

func (n *node) find(name string) *node {
	if n.XMLName.Local == name {
		return n
	}
	for i := range n.Children {
		if found := n.Children[i].find(name); found != nil {
			return found
		}
	}
	return nil
}

func (n *node) count() int {
	total := 1
	for i := range n.Children {
		total += n.Children[i].count()
	}
	return total
}

func parsedXML(t require.TestingT, body []byte) *node {
	require.True(t, utf8.Valid(body))
	var root node
	require.NoError(t, xml.Unmarshal(body, &root))
	want := 3 // R, X, Y
	if root.XMLName.Local == "Envelope" {
		want += 2
	}
	if root.find("Z") != nil {
		want++
	}
	require.Equal(t, want, root.count(), "no element is added or lost")
	require.Equal(t, "1", root.find("Y").Text)
	return &root
}

func readXML(t require.TestingT, in received) string {
	x := parsedXML(t, in.body).find("X")
	require.Empty(t, x.Attrs)
	return x.Text
}

func readXMLAttribute(t require.TestingT, in received) string {
	x := parsedXML(t, in.body).find("X")
	require.Len(t, x.Attrs, 1)
	require.Empty(t, x.Text)
	return x.Attrs[0].Value
}

// same is that the value arrives byte for byte.
func same(value string) (string, string) { return value, "" }

// inURL is that of a URL: percent-encoding carries every byte, up to a length.
func inURL(value string) (text, fault string) {
	if len(url.QueryEscape(value)) > 8000 { // the limit is 8 KiB with all that is around it
		return "", "is larger than 8 KiB"
	}
	return value, ""
}

// inPath is that of a path: what a receiver could take for a way out of it, because it
// decodes once more than it should or knows backslashes, has no request.
func inPath(around string) func(string) (string, string) {
	return func(value string) (string, string) {
		text, fault := inURL(value)
		path := "/a/" + around + url.PathEscape(value) + around + "/b"
		for range 3 {
			for segment := range strings.SplitSeq(strings.ReplaceAll(path, `\`, "/"), "/") {
				if fault == "" && (segment == "." || segment == "..") {
					return "", "a value makes a . or .. segment"
				}
			}
			decoded, err := url.PathUnescape(path)
			if err != nil {
				break
			}
			path = decoded
		}
		return text, fault
	}
}

// inHeader is that of a header: what would end it has no request, and white space
// around a value is not part of it.
func inHeader(value string) (string, string) {
	text, fault := inPaddedHeader(value)
	return strings.Trim(text, " \t"), fault
}

func inPaddedHeader(value string) (string, string) {
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", fmt.Sprintf("a header cannot contain the character %U", c)
		}
	}
	if len(value) > 8<<10-20 {
		return "", "is larger than 8 KiB"
	}
	return value, ""
}

// inJSON is that of JSON, which is Unicode: a byte that is none becomes U+FFFD.
func inJSON(value string) (string, string) { return toUTF8(value), "" }

func inJSONTwice(value string) (string, string) {
	encoded, err := json.Marshal([]string{value, value})
	if err != nil || len(encoded) > 256<<10 {
		return "", "is larger than 256 KiB"
	}
	return inJSON(value)
}

// inForm is that of a form: percent-encoding carries every byte.
func inForm(value string) (string, string) {
	if len(url.QueryEscape(value)) > 256<<10 {
		return "", "is larger than 256 KiB"
	}
	return value, ""
}

// inXML is that of XML 1.0, which has no place for most control characters.
func inXML(value string) (string, string) {
	for _, c := range value {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF {
			return "", fmt.Sprintf("XML cannot contain the character %U", c)
		}
	}
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(value)); err != nil || escaped.Len() > 256<<10 {
		return "", "is larger than 256 KiB"
	}
	return toUTF8(value), ""
}

func toUTF8(value string) string {
	var b strings.Builder
	for _, c := range value { // each invalid byte is one
		b.WriteRune(c)
	}
	return b.String()
}

// laboratory is a receiver, and a sender that trusts it.
type laboratory struct {
	*receiver
	sender *delivery.Sender
	calls  map[string]*config.Call
	sent   int
}

func newLaboratory(t testing.TB, protocol string) *laboratory {
	r := &receiver{}
	r.Server = httptest.NewUnstartedServer(r.keep(nil))
	r.EnableHTTP2 = protocol == "HTTP/2.0"
	options := delivery.Options{}
	if r.EnableHTTP2 {
		r.StartTLS()
		options.Roots = x509.NewCertPool()
		options.Roots.AddCert(r.Certificate())
	} else {
		r.Start()
	}
	t.Cleanup(r.Close)
	guard, err := delivery.NewGuard([]string{"127.0.0.0/8"})
	require.NoError(t, err)
	options.Guard = guard
	l := &laboratory{receiver: r, sender: delivery.New(options), calls: map[string]*config.Call{}}
	t.Cleanup(func() { require.NoError(t, l.sender.Close(context.Background())) })
	for _, p := range places {
		l.calls[p.name] = call(t, r.URL, p.call)
	}
	return l
}

// try sends a value in a place, and compares what is read there.
func (l *laboratory) try(t require.TestingT, p place, value string) *received {
	l.sent++
	view, event := occasion(map[string]any{"x": value, "deep": map[string]any{value: []any{value}}})
	view.Interaction.ANI = value
	before := len(l.got)
	request, _ := l.calls[p.name].Template.Render(fmt.Sprintf("msg_%d", l.sent), view, event) // a fault is parked by the sender
	o := l.sender.Send(context.Background(), l.calls[p.name].Policy, request, 1)
	want, fault := p.want(value)
	if fault != "" {
		require.Equal(t, "render", o.Class, "%s %s", p.name, o.Message)
		require.Contains(t, o.Message, fault)
		require.NotContains(t, o.Message, "Evil", "a fault quotes no data")
		require.Len(t, l.got, before, "nothing is sent")
		return nil
	}
	require.Equal(t, "ok", o.Class, "%s %s", p.name, o.Message)
	require.Len(t, l.got, before+1, "one request, whatever is in it")
	in := l.got[before]
	names := append([]string{"Accept-Encoding", "Idempotency-Key", "User-Agent", "Webhook-Id", "Webhook-Timestamp"}, p.headers...)
	names = append(names, "Content-Length")
	require.ElementsMatch(t, names, slices.Collect(maps.Keys(in.header)), "no header is added or lost")
	require.Equal(t, want, p.read(t, in), p.name)
	return &in
}

func TestWhatAReceiverReadsIsWhatWentIn(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		l := newLaboratory(t, protocol)
		for _, p := range places {
			t.Run(protocol+"/"+p.name, func(t *testing.T) {
				for _, name := range slices.Sorted(maps.Keys(corpus)) {
					t.Run(name, func(t *testing.T) { l.try(t, p, corpus[name]) })
				}
			})
		}
		for _, in := range l.got {
			assert.Equal(t, protocol, in.protocol)
		}
	}
}

// What libxml2 reads is what Go reads.
func TestAnotherParserReadsTheSame(t *testing.T) {
	need(t, "xmllint", "libxml2-utils")
	l := newLaboratory(t, "HTTP/1.1")
	for _, p := range places {
		path := map[string]string{"xml": "string(//X)", "xml attribute": "string(//X/@a)", "soap 1.2": "string(//*[local-name()='X'])"}[p.name]
		for name, value := range corpus {
			want, fault := p.want(value)
			if path == "" || fault != "" {
				continue
			}
			t.Run(p.name+"/"+name, func(t *testing.T) {
				out, ok := xmllint(t, l.try(t, p, value).body, "--xpath", path)
				require.True(t, ok, out)
				require.Equal(t, want, strings.TrimSuffix(out, "\n"))
			})
		}
	}
}

// Any text at all, made of what is dangerous.
func TestAnyTextInAnyPlace(t *testing.T) {
	l := newLaboratory(t, "HTTP/1.1")
	pieces := rapid.OneOf(
		rapid.SampledFrom([]string{"\r", "\n", "\x00", "\t", " ", "<", ">", "&", `"`, "'", `\`, "/", "..", ".", "?", "#", "%", "=", ";", "${", "}", "#ani#", "]]>", "-->", "\u202e", "😀", "\xff", "\xed\xa0\x80", "\ufffe"}),
		rapid.StringN(0, 5, 20),
	)
	rapid.Check(t, func(t *rapid.T) {
		value := strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(t, "value"), "")
		for _, p := range places {
			l.try(t, p, value)
		}
	})
}

// A key that comes from data is a name, or becomes one: it never opens, closes or
// splits an element, and nothing blocks the lane.
func TestKeysOfDataInXML(t *testing.T) {
	keys := maps.Clone(corpus)
	for i, key := range []string{"größe", "名前", "_a-b.c1", "a:b", "×", "a×", "-a", "a\u2028", "ḁ", "ȡ", "a·b", "xmlns"} {
		keys[fmt.Sprint("key ", i)] = key
	}
	r := newReceiver(t, nil)
	sender := newSender(t)
	c := call(t, r.URL, post+"url: URL/a\n    xml: {root: R, body: {Z: '${user_data.deep}'}}")
	read := 0
	word := regexp.MustCompile(`[A-Za-z0-9]+`)
	for name, key := range keys {
		t.Run(name, func(t *testing.T) {
			before := len(r.got)
			o := send(t, sender, c, "msg_key_"+name, map[string]any{"deep": map[string]any{key: "v"}})
			require.Equal(t, "ok", o.Class, o.Message)
			var root node
			require.NoError(t, xml.Unmarshal(r.got[before].body, &root))
			got := root.find("Z").Children[0].XMLName.Local
			require.Equal(t, word.FindAllString(key, -1), word.FindAllString(got, -1))
			require.NotContains(t, got, ":")
			require.Equal(t, 3, root.count())
			if got == key {
				read++
			}
		})
	}
	require.GreaterOrEqual(t, read, 5)
}
