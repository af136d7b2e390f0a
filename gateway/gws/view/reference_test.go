package view_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"segue/gateway/gws/view"
)

func TestReferences(t *testing.T) {
	for _, test := range []struct{ reference, id string }{
		{`7`, "gws-nAb1-7"},
		{`-1.5e3`, "gws-nAb1--1.5e3"},
		{`12345678901234567890`, "gws-nAb1-12345678901234567890"},
		{`"7"`, "gws-sAb1-7"},
		{`""`, "gws-sAb1-"},
		{`"a-b <c> é"`, "gws-sAb1-a-b <c> é"},
		{`"` + strings.Repeat("x", 128) + `"`, "gws-sAb1-" + strings.Repeat("x", 128)},
	} {
		require.True(t, view.ValidReference(json.RawMessage(test.reference)), test.reference)
		id := view.EventID("Ab1", json.RawMessage(test.reference))
		require.Equal(t, test.id, id)
		require.Equal(t, test.reference, string(view.ReferenceOf(id)))
	}
}

func TestReferencesThatAreNone(t *testing.T) {
	for _, reference := range []string{
		``, `null`, `true`, `{}`, `[1]`, `1 2`, `"a`, `"a\u0000"`, `"a\n"`, `"` + strings.Repeat("x", 129) + `"`, strings.Repeat("1", 129), `01`,
	} {
		require.False(t, view.ValidReference(json.RawMessage(reference)), reference)
		require.Empty(t, view.EventID("Ab1", json.RawMessage(reference)), reference)
	}
	require.Empty(t, view.EventID("", json.RawMessage(`1`)))
	require.Empty(t, view.EventID("a-b", json.RawMessage(`1`)))
}

func TestEventIDsOfOthersHaveNoReference(t *testing.T) {
	for _, id := range []string{
		"", "gws", "gws-", "gws-n-1", "gws-nx", "gws-xyz-1", "gws-nab-", `gws-nab-"1"`, "gws-nab-true", "gws-sab-a\x07", "his-s1-5", "GWS-nab-1",
		"gws-sab-" + strings.Repeat("x", 129),
	} {
		require.Nil(t, view.ReferenceOf(id), id)
	}
}

func TestAReferenceComesBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		reference, err := json.Marshal(text)
		require.NoError(t, err)
		if !view.ValidReference(reference) {
			return
		}
		id := view.EventID("N1", reference)
		require.LessOrEqual(t, len(id), 255)
		require.JSONEq(t, string(reference), string(view.ReferenceOf(id)))
	})
}
