package cometd

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzParseObject compares the members of an object with those that package json reads.
func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { "a" : 1 , "b":"x\"}",` + "\n\t" + `"c":[{"d":"]"},[]], "e":{"f":null} ,"g":-1.5e+3,"h":true} `, `[]`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		`{"\\":"\\"}`, `{"":{}}`, `"{"`, `1`, `{"é":"\ud83d\ude00"}`, `{"a":""}`, `null`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) {
			return // parse refuses it before
		}
		var want map[string]json.RawMessage
		err := json.Unmarshal([]byte(text), &want)
		got, failed := parseObject(json.RawMessage(text))
		switch {
		case failed == errTwice && err == nil: // package json reads the last one
		case (failed != nil) != (err != nil || want == nil):
			t.Fatalf("%q: %v, package json has %v", text, failed, err)
		case failed == nil && len(got) != len(want):
			t.Fatalf("%q: %q, not %q", text, got, want)
		}
		for name, value := range got {
			if !bytes.Equal(bytes.Trim(want[name], jsonSpace), value) {
				t.Fatalf("%q: %q is %q, not %q", text, name, value, want[name])
			}
			var text string
			if json.Unmarshal(value, &text) != nil {
				text = ""
			}
			if textOf(value) != text {
				t.Fatalf("%q is read as %q", value, textOf(value))
			}
		}
	})
}

func FuzzAppendText(f *testing.F) {
	for _, seed := range []string{"", "/v2/me", `"`, `\`, "<&>", "\x00\x7f\u2028é", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendText(nil, text); !bytes.Equal(got, want) {
			t.Fatalf("%q: %s, not %s", text, got, want)
		}
	})
}
