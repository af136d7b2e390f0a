package gateway_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dial opens a connection and writes text to it. The server may refuse the text before it has read it all.
func dial(t *testing.T, address, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, _ = io.WriteString(conn, text)
	return conn
}

// exchange writes text to a new connection and returns all answers until the server closes it, or waits
// for more.
func exchange(t *testing.T, address, text string) []answer {
	t.Helper()
	return answersOn(dial(t, address, text))
}

func answersOn(conn net.Conn) []answer {
	var list []answer
	for reader := bufio.NewReader(conn); ; {
		// What is answered at all is answered soon, and what follows the first answer sooner. The connection stays open
		// for writing meanwhile: to the server, a client that closes its half has gone.
		soon := 20 * time.Second
		if len(list) > 0 {
			soon = 2 * time.Second
		}
		_ = conn.SetReadDeadline(time.Now().Add(soon))
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return list
		}
		raw, _ := io.ReadAll(response.Body) // the end of the last one may be a reset
		a := answer{Status: response.StatusCode, Header: response.Header, Raw: raw}
		_ = json.Unmarshal(raw, &a.Body)
		list = append(list, a)
	}
}

// withKey returns the headers of a request of the platform.
func withKey() string { return "Host: segue\r\nX-API-Key: " + thePlatform.key() + "\r\n" }

// TestPathsThatAreNoPaths: a path has one form. All others are not found, in the form of every problem,
// and none is redirected: a client that follows would send its credential to wherever that leads.
func TestPathsThatAreNoPaths(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"path","channel":"inbound"}`)
	for target, status := range map[string]int{
		"/v1": 404, "/v1/": 404, "//v1/interactions/path": 404, "/v1//interactions/path": 404, "/v1/interactions//path": 404,
		"/v1/interactions/path/": 404, "/v1/interactions/": 404, "/v1/interactions/./path": 404, "/v1/interactions/x/../path": 404,
		"/v1/../v1/interactions/path": 404, "/./v1/interactions/path": 404, "/x/../v1/interactions/path": 404, "/v1/..": 404, "/..": 404,
		"//evil.example/v1/interactions": 404, "/v1/interactions/..%2fpath": 422, "/v1/interactions/x%2f..%2fpath": 422,
		"/v1/interactions/%2e%2e/path": 404, "/v1%2finteractions/path": 404, "/v1/interactions%2fpath": 404, "/%76%31/interactions/path": 200,
		"/v1/interactions/p%61th": 200, "/v1/interactions/path%00": 422, "/v1/interactions/%00": 422, "/v1/interactions/path%0d%0aX: y": 422,
		"/v1/interactions/path%20": 422, "/v1/interactions/path;a=b": 422, "/v1/interactions/path%3Fcontact_center=x": 422,
		"/v1/interactions/%ff%fe": 422, "/v1/interactions/%c0%af": 422, "/V1/interactions/path": 404, "/v1/Interactions/path": 404,
		"/v1/interactions/path?": 200, "/v1/interactions/path?a": 422, "/v1/interactions/path?contact_center=acme;x=y": 400,
		"/v1/interactions/" + strings.Repeat("x", 129): 422, "/v1/interactions/" + strings.Repeat("x", 30_000): 422,
		"/v1/interactions/path?contact_center=" + strings.Repeat("x", 30_000): 400, "/v1/interactions/path?contact_center=%00": 400,
		"/v1/interactions/path\\..\\x": 422, "/livez/": 404, "/livez/../v1/interactions/path": 404, "/readyz/x": 404,
	} {
		answers := exchange(t, served.url, "GET "+strings.ReplaceAll(target, " ", "%20")+" HTTP/1.1\r\n"+withKey()+"Connection: close\r\n\r\n")
		if assert.Len(t, answers, 1, target) {
			a := answers[0]
			assert.Equal(t, status, a.Status, "%.80s: %s", target, a.Raw)
			assert.NotEmpty(t, a.Header.Get("Segue-Request-Id"), target)
			assert.Empty(t, a.Header.Get("Location"), target)
			if status >= 400 {
				assert.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), target)
			}
		}
	}
}

// TestMethodsAndForms sends requests whose first lines are unusual.
func TestMethodsAndForms(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"form","channel":"inbound"}`)
	get := "/v1/interactions/form HTTP/1.1\r\n" + withKey() + "Connection: close\r\n\r\n"
	for text, status := range map[string]int{
		"GET " + get: 200, "HEAD " + get: 200, "TRACE " + get: 405, "OPTIONS " + get: 405, "get " + get: 405, "BREW " + get: 405, "PATCH " + get: 405,
		"TRACK " + get: 405, "PROPFIND " + get: 405,
		"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                     404,
		"OPTIONS * HTTP/1.1\r\n" + withKey() + "Connection: close\r\n\r\n":                                    404,
		"GET * HTTP/1.1\r\n" + withKey() + "\r\n":                                                             404,
		"GET http://evil.example/v1/interactions/form HTTP/1.1\r\n" + withKey() + "Connection: close\r\n\r\n": 200, // as of a proxy; keys count for any host
		"GET /v1/interactions/form HTTP/1.0\r\n" + withKey() + "\r\n":                                         200,
		"GET /v1/interactions/form HTTP/1.0\r\n\r\n":                                                          401,
		"GET /v1/interactions/form HTTP/2.0\r\n" + withKey() + "\r\n":                                         505,
		"GET /v1/interactions/form HTTP/1.1\r\nX-API-Key: " + thePlatform.key() + "\r\n\r\n":                  400,
		"GET /v1/interactions/form\r\n" + withKey() + "\r\n":                                                  400,
		"GET  /v1/interactions/form HTTP/1.1\r\n" + withKey() + "\r\n":                                        400,
		"GET /v1/interactions/form HTTP/1.1\r\nHost: a b\r\n\r\n":                                             400,
		"GET /v1/interactions/form HTTP/1.1\r\nHost: segue/../evil\r\n\r\n":                                   400,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":                                                                    404,
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n":                                                400,
	} {
		answers := exchange(t, served.url, text)
		if assert.NotEmpty(t, answers, "%.60q", text) {
			a := answers[0]
			assert.Equal(t, status, a.Status, "%.60q: %s", text, a.Raw)
			if status == 404 || status == 405 {
				assert.NotEmpty(t, a.Header.Get("Segue-Request-Id"), "%.60q", text)
				assert.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), "%.60q", text)
			}
			if strings.HasPrefix(text, "TRACE") {
				assert.NotContains(t, string(a.Raw), thePlatform.key(), "nothing is echoed")
			}
		}
	}
}

// TestAClientThatWaitsIsRefusedAtOnce: a client that asks before it sends a body that is too large must
// not be invited to send it.
func TestAClientThatWaitsIsRefusedAtOnce(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"expects","channel":"inbound"}`)
	head := "POST /v1/interactions/expects/commands/place_in_queue HTTP/1.1\r\n" + withKey() + "Content-Type: application/json\r\nExpect: 100-continue\r\n"
	answers := exchange(t, served.url, head+"Content-Length: 999999999\r\n\r\n")
	require.Equal(t, []int{413}, statusesOf(answers))
	require.Equal(t, "too-large", answers[0].Problem())
	answers = exchange(t, served.url, head+"Connection: close\r\nContent-Length: 13\r\n\r\n"+`{"queue":"q"}`)
	require.Equal(t, []int{100, 200}, statusesOf(answers))
	answers = exchange(t, served.url, strings.Replace(head, "100-continue", "a miracle", 1)+"Content-Length: 2\r\n\r\n{}")
	require.Equal(t, 417, answers[0].Status)
	// Without a credential the body is not read at all.
	anonymous := strings.Replace(head, thePlatform.key(), "guess", 1)
	require.Equal(t, []int{401}, statusesOf(exchange(t, served.url, anonymous+"Content-Length: 13\r\n\r\n")))
}

func statusesOf(answers []answer) []int {
	var list []int
	for _, a := range answers {
		list = append(list, a.Status)
	}
	return list
}

// TestRequestsAreNotSmuggledIntoTheAPI: what a body has is never a request, whatever a proxy in front
// makes of its length.
func TestRequestsAreNotSmuggledIntoTheAPI(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"smuggled","channel":"inbound"}`)
	inner := "POST /v1/interactions/smuggled/commands/abandon HTTP/1.1\r\n" + withKey() + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	post := "POST /v1/interactions/smuggled/commands/dtmf HTTP/1.1\r\n" + withKey() + "Content-Type: application/json\r\n"
	var reading sync.WaitGroup
	for name, text := range map[string]string{
		"CL.TE":                        post + fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", 5+len(inner), inner),
		"TE.CL":                        post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(inner), inner),
		"TE.TE":                        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
		"two lengths":                  post + fmt.Sprintf("Content-Length: 2\r\nContent-Length: %d\r\n\r\n{}%s", 2+len(inner), inner),
		"a length in hexadecimal":      post + "Content-Length: 0x2\r\n\r\n{}" + inner,
		"a length with a space":        post + "Content-Length : 2\r\n\r\n{}" + inner,
		"a negative length":            post + "Content-Length: -1\r\n\r\n{}" + inner,
		"a length beyond int64":        post + "Content-Length: 99999999999999999999\r\n\r\n{}" + inner,
		"chunked in HTTP/1.0":          strings.Replace(post, "HTTP/1.1", "HTTP/1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"bare line feeds":              strings.ReplaceAll(post+"Transfer-Encoding: chunked\n\n0\n\n", "\r\n", "\n") + inner,
		"a bare return in a chunk":     post + "Transfer-Encoding: chunked\r\n\r\n2\r{}\r0\r\r" + inner,
		"a chunk extension with a LF":  post + "Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n" + inner,
		"a trailer that is a request":  post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + inner,
		"a trailer of a length":        post + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 200\r\n\r\n" + inner,
		"vertical tab in the encoding": post + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + inner,
		"an upgrade":                   post + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: 2\r\n\r\n{}",
	} {
		conn := dial(t, served.url, text)
		reading.Go(func() {
			for i, a := range answersOn(conn) {
				assert.False(t, i > 0 && a.Status == 200, "%s: %d: %s", name, i, a.Raw)
				assert.NotEqual(t, 101, a.Status, name)
				assert.NotEqual(t, 500, a.Status, name)
			}
		})
	}
	reading.Wait()
	state := thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/smuggled", "")
	require.Equal(t, "started", state.Body["state"])
}

// hostileBodies are bodies that no route may take, and their media types.
func hostileBodies() map[string][2]string {
	const media = "application/json"
	return map[string][2]string{
		"a key twice":              {media, `{"queue":"a","queue":"b"}`},
		"a key twice by an escape": {media, `{"queue":"a","queu\u0065":"b"}`},
		"a key twice, deep inside": {media, `{"user_data":{"a":{"b":1,"b":2}}}`},
		"deep nesting":             {media, strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)},
		"deep arrays":              {media, `{"a":` + strings.Repeat("[", 60_000) + strings.Repeat("]", 60_000) + "}"},
		"deeper than is allowed":   {media, `{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}"},
		"unbalanced":               {media, strings.Repeat(`[{"a":`, 20_000)},
		"invalid UTF-8":            {media, "{\"queue\":\"\xff\xfe\"}"},
		"overlong UTF-8":           {media, "{\"queue\":\"\xc0\xaf\"}"},
		"a raw NUL":                {media, "{\"queue\":\"a\x00b\"}"},
		"a mark of the byte order": {media, "\xef\xbb\xbf{\"queue\":\"a\"}"},
		"UTF-16":                   {media, "\xff\xfe{\x00}\x00"},
		"two values":               {media, `{"queue":"a"}{"queue":"b"}`},
		"a comment":                {media, `{"queue":"a"/**/}`},
		"a single quote":           {media, `{'queue':'a'}`},
		"not a number":             {media, `{"queue":NaN}`},
		"a text":                   {media, `"queue"`},
		"null":                     {media, `null`},
		"a number":                 {media, `7`},
		"a form":                   {"application/x-www-form-urlencoded", `queue=a`},
		"plain text":               {"text/plain", `{"queue":"a"}`},
		"no type":                  {"", `{"queue":"a"}`},
		"two types":                {"application/json, text/plain", `{"queue":"a"}`},
		"a like type":              {"application/jsonp", `{"queue":"a"}`},
		"another charset":          {"application/json; charset=utf-16", `{"queue":"a"}`},
		"a broken type":            {"application/json; charset", `{"queue":"a"}`},
		"XML":                      {"application/xml", `<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>`},
		"multipart":                {"multipart/form-data; boundary=x", "--x\r\n\r\n{}\r\n--x--"},
	}
}

// TestHostileBodies sends every hostile body to every route that reads one, while a hundred slow clients
// hold connections, and good clients are answered in between.
func TestHostileBodies(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"bodies","channel":"inbound"}`)
	for i := range 150 {
		text := "POST /v1/interactions HTTP/1.1\r\n" + withKey() + "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
		dial(t, served.url, text[:len(text)-i%3*40])
	}
	for _, o := range operations(t) {
		if o.body == "" {
			continue
		}
		for name, hostile := range hostileBodies() {
			a, err := thePlatform.send(o.method, o.at("bodies"), hostile[1], "Content-Type", hostile[0])
			require.NoError(t, err, name)
			if o.isFeed && a.Status == http.StatusOK {
				assert.NotRegexp(t, `"status":"(accepted|duplicate|unknown)"`, string(a.Raw), name)
				continue
			}
			assert.Contains(t, []int{400, 413, 415, 422}, a.Status, "%s: %s %s: %.300s", name, o.method, o.path, a.Raw)
			assert.Less(t, len(a.Raw), 2000, "%s: an answer repeats no body", name)
		}
		begun := time.Now()
		thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/bodies", "")
		require.Less(t, time.Since(begun), 5*time.Second)
	}
	require.EqualValues(t, 1, thePlatform.must(t, http.StatusOK, http.MethodGet, "/v1/interactions/bodies", "").Body["revision"])
}

// TestHostileValues sends values that are good JSON, and no good values.
func TestHostileValues(t *testing.T) {
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"values","channel":"inbound"}`)
	command := "/v1/interactions/values/commands/"
	for _, row := range []struct {
		command, payload string
		status           int
	}{
		{"survey", `{"answers":{"n":1e999}}`, 422},
		{"survey", `{"answers":{"n":-1e999}}`, 422},
		{"survey", `{"answers":{"n":` + strings.Repeat("9", 400) + `}}`, 422},
		{"survey", `{"answers":{"n":123456789012345678901234567890}}`, 200},
		{"survey", `{"answers":{"a\u0000":1}}`, 422},
		{"place_in_queue", `{"queue":"a\u0000b"}`, 422},
		{"place_in_queue", `{"queue":"` + strings.Repeat("q", 256) + `"}`, 422},
		{"place_in_queue", `{"queue":"q","event_id":"` + strings.Repeat("e", 256) + `"}`, 422},
		{"place_in_queue", `{"queue":"q","event_id":"a\nb"}`, 422},
		{"place_in_queue", `{"queue":"q","event_id":7}`, 422},
		{"place_in_queue", `{"queue":"q","at":"9999-99-99T00:00:00Z"}`, 422},
		{"place_in_queue", `{"queue":"q","source_sequence":9223372036854775808}`, 422},
		{"place_in_queue", `{"queue":"q","source_sequence":1e300}`, 422},
		{"place_in_queue", `{"queue":"q","Queue":"other"}`, 200}, // another key
		{"place_in_queue", `{"queue":"\ud800"}`, 200},            // JSON reads half a pair as the replacement character
		{"set_attributes", `{"comment":"` + strings.Repeat("c", 256<<10) + `"}`, 413},
		{"offer", `{"agents":[` + strings.Repeat(`"a",`, 2000) + `"b"]}`, 422},
		{"offer", `{"agent":{"id":"x","__proto__":{"role":"admin"}}}`, 200},
	} {
		a, err := thePlatform.send(http.MethodPost, command+row.command, row.payload)
		require.NoError(t, err)
		require.Equal(t, row.status, a.Status, "%.100s: %.300s", row.payload, a.Raw)
	}
	for header, values := range map[string][]string{
		"Idempotency-Key":      {strings.Repeat("k", 256), "a\tb", "\xff\xfe", "k\u0085"},
		"Segue-Contact-Center": {"a b", "../acme", strings.Repeat("c", 129), "acme,umbrella", "\xff"},
	} {
		for _, value := range values {
			a, err := thePlatform.send(http.MethodPost, command+"dtmf", `{"digits":"1"}`, header, value)
			require.NoError(t, err)
			require.Contains(t, []int{200, 400, 404, 422}, a.Status, "%s: %q: %s", header, value, a.Raw)
			if header != "Idempotency-Key" {
				require.NotEqual(t, 200, a.Status, "%s: %q: %s", header, value, a.Raw)
			}
		}
	}
}

// TestTheLogHasNoRequestOfAnybody: ids, keys and bodies are nobody's business, and no request writes a
// line of its own into the log.
func TestTheLogHasNoRequestOfAnybody(t *testing.T) {
	marked := "jane-doe-0815"
	thePlatform.must(t, http.StatusCreated, http.MethodPost, "/v1/interactions", `{"id":"`+marked+`","channel":"inbound","ani":"`+marked+`"}`)
	for _, c := range []caller{thePlatform, ann, elsewhere, nobody} {
		for _, path := range []string{"/v1/interactions/" + marked, "/v1/interactions?queue=" + marked, "/v1/" + marked, "/" + marked} {
			_, err := c.send(http.MethodGet, path, "", "User-Agent", marked, "Referer", "https://"+marked+".example", "X-Forwarded-For", marked,
				"If-None-Match", marked, "Origin", "https://"+marked+".example", "Segue-Request-Id", "x\ty{\"level\":\"ERROR\"}")
			require.NoError(t, err)
		}
		_, err := c.send(http.MethodPost, "/v1/interactions/"+marked+"/commands/"+marked, `{"`+marked+`":"`+marked+`"}`, "Idempotency-Key", marked)
		require.NoError(t, err)
	}
	require.NotContains(t, served.log.String(), marked)
	for line := range strings.Lines(served.log.String()) {
		require.True(t, json.Valid([]byte(line)), line)
		for _, key := range []string{thePlatform.key(), "Bearer", "127.0.0.1"} {
			require.NotContains(t, line, key)
		}
	}
}
