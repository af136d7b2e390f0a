package request_test

import (
	"encoding/json"
	"encoding/xml"
	"net/url"
	"testing"
	"unicode/utf8"

	"segue/request"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// FuzzRender checks that, for any configuration and data, a call is refused, or parked, or
// renders a request that parsers can read, always the same.
func FuzzRender(f *testing.F) {
	for _, leaf := range []string{
		"plain", "${user_data.x}", "a ${user_data.x} b", "#ani#", "${user_data}", "${interaction}", "${event.fields}", "${[user_data.x, 1, null]}",
		"${{'a': user_data.x}}", "${user_data.x + 'a'}", "${user_data.x.matches('a+')}", "${durations.handle / 0.0}", "${user_data.?x.orValue('n')}",
		"${timestamp('2026-01-01T00:00:00Z')}", "${b'\\xff'}", "${9223372036854775807}", "${user_data.x == ''}", "#agent_id#${agent}", "${bytes(user_data.x)}",
	} {
		for _, data := range []string{"", "v", "a\x00b", "\xed\xa0\x80", "<&>\"'", "😀"} {
			f.Add(leaf, data)
		}
	}
	f.Fuzz(func(t *testing.T, leaf, data string) {
		v := view()
		v.UserData["x"] = data
		v.Interaction.ANI = data
		v.UserData[data] = data
		node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: leaf}
		body := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: "x"}, node}}
		for name, change := range map[string]func(*request.Spec){
			"json":   func(s *request.Spec) { s.JSON = body },
			"xml":    func(s *request.Spec) { s.XML = &request.XML{Root: "R", Body: body} },
			"form":   func(s *request.Spec) { s.Form = pairs("x", leaf) },
			"header": func(s *request.Spec) { s.Headers = pairs("X", leaf) },
			"url":    func(s *request.Spec) { s.URL = "https://h.example.com/" + leaf },
		} {
			template, err := request.Compile(call(t, "", change))
			if err != nil {
				continue
			}
			r, err := template.Render("msg_1", v, event())
			if err != nil {
				require.Equal(t, err.Error(), r.Fault)
				continue
			}
			again, err := template.Render("msg_1", v, event())
			require.NoError(t, err)
			require.Equal(t, r, again, name)
			switch name {
			case "json":
				require.True(t, json.Valid([]byte(r.Body)) && utf8.ValidString(r.Body), r.Body)
			case "xml":
				require.True(t, utf8.ValidString(r.Body), r.Body)
				require.NoError(t, xml.Unmarshal([]byte(r.Body), new(struct{})), r.Body)
			case "form":
				values, err := url.ParseQuery(r.Body)
				require.NoError(t, err)
				require.Len(t, values, 1)
			case "header":
				for _, h := range r.Headers {
					require.NotContains(t, h.Text(1), "\n")
					require.NotContains(t, h.Text(1), "\r")
					require.NotContains(t, h.Text(1), "\x00")
				}
			case "url":
				u, err := url.Parse(r.URL)
				require.NoError(t, err)
				require.Equal(t, "h.example.com", u.Host, "data does not choose the host")
				require.Nil(t, u.User)
			}
		}
	})
}
