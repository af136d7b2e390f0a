package interaction_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"segue/interaction"
)

// documents are JSON values in notations that platforms and encoders use.
var documents = []string{
	`null`, `true`, `false`, `""`, `{}`, `[]`, `[[],{}]`, `{"":{"":""}}`, ` { "a" : [ 1 , 2 ] , "b" : { } } `, "\t[\r\n1,\n{\"a\":null}]\n",
	`0`, `-0`, `-1.5e-7`, `1E400`, `1e21`, `0.1`, `100`, `-12`, `123456789012345`, `1234567890123456`, `9007199254740993`, `-9007199254740993`,
	`12345678901234567890`, `1.00000000000000000001`, `[1e2,1.0,10]`,
	`"a\"b\\c\/d\b\f\n\r\t"`, `"\u00e4\ud83d\ude00\ud83d"`, `"ä€😀"`, `"<&>\u2028"`, `{"a\"b":{"\u0061\\":[true]}}`, `"a\\"`,
	`{"a":1,"a":2}`, `{"a":{"b\u0000":1}}`, `["\u0000"]`, strings.Repeat("[", 40) + strings.Repeat("]", 40),
	`{"a":[{"b":{"c":[[{"d":"e"}],"f",{"g":[]}]}}]}`,
}

// readPayload returns a document as a field of a command has it, and as encoding/json reads it.
func readPayload(document []byte) (got, want any, err error) {
	payload := append(append([]byte(`{"digits":"1","platform":`), document...), '}')
	command, err := interaction.Decode("dtmf", payload)
	if err != nil {
		return nil, nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	var read map[string]any
	if err := decoder.Decode(&read); err != nil {
		return nil, nil, err
	}
	return command.Fields["platform"], interaction.Settled(read["platform"]), nil
}

func TestPayloadsAreReadAsEncodingJSONReadsThem(t *testing.T) {
	refused := map[string]string{
		`1E400`: "platform: 1E400: the number is out of range", `{"a":1,"a":2}`: "platform.a: the key occurs twice",
		`{"a":{"b\u0000":1}}`: `platform.a.b\u0000: `, `["\u0000"]`: `platform[0]: `,
		strings.Repeat("[", 40) + strings.Repeat("]", 40): "nested deeper than 32 levels",
	}
	for _, document := range documents {
		got, want, err := readPayload([]byte(document))
		if reason, ok := refused[document]; ok {
			require.ErrorContains(t, err, reason)
			continue
		}
		require.NoError(t, err, document)
		require.Equal(t, want, got, document)
	}
}

func FuzzPayload(f *testing.F) {
	for _, document := range documents {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		got, want, err := readPayload(document)
		if err != nil {
			var invalid *interaction.InvalidError
			require.ErrorAs(t, err, &invalid)
			return
		}
		require.Equal(t, want, got)
	})
}
