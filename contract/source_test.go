package contract_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/contract"
	"segue/interaction"
)

func TestDecodeSourceReturnsWhatSourceOfEncoded(t *testing.T) {
	view := &interaction.View{UserData: map[string]any{"tier": "gold", "calls": 7.0, "account": json.Number("12345678901234567"), "score": 1.5}}
	event := &interaction.Event{Sequence: 3, Moment: "survey", At: time.Date(2026, 1, 31, 8, 0, 0, 5, time.UTC), Fields: map[string]any{"n": 2.0}}
	r := contract.Request{ID: "d", Body: "x", Source: contract.SourceOf(view, event)}
	gotView, gotEvent, err := r.DecodeSource()
	require.NoError(t, err)
	require.Equal(t, view, gotView)
	require.Equal(t, event, gotEvent)
	require.Equal(t, r.Size()+len(r.Source), r.SizeWithSource())
	require.Nil(t, r.WithoutSource().Source)
	require.NotNil(t, r.Source, "a copy")
}

func TestALargeSourceIsNotKept(t *testing.T) {
	view := &interaction.View{UserData: map[string]any{"large": strings.Repeat("x", 16<<10)}}
	require.Nil(t, contract.SourceOf(view, &interaction.Event{}))
}

func TestDecodeSourceReportsAnInvalidSource(t *testing.T) {
	for source, says := range map[string]string{"": "source of delivery d", "7": "source of delivery d", `{"events":[]}`: "has 0 events, not 1"} {
		_, _, err := contract.Request{ID: "d", Source: []byte(source)}.DecodeSource()
		require.ErrorContains(t, err, says)
	}
}
