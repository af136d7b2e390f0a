package client

import (
	"bytes"
	"encoding/json"
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
)

// argumentOf returns JSON as an argument for the SDK, which then sends it as it is: encoding/json
// would write each <, > and & with six bytes, and HTML would not fit into a message of Temporal.
func argumentOf(message json.RawMessage) any {
	var compact bytes.Buffer
	if json.Compact(&compact, message) != nil {
		return message // the SDK reports the error
	}
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     compact.Bytes(),
	})
}

// firstCommands returns the JSON of a contract.FirstCommands.
func firstCommands(array json.RawMessage) json.RawMessage {
	if !json.Valid(array) {
		return array // the SDK reports the error
	}
	return slices.Concat([]byte(`{"commands":`), array, []byte(`}`))
}
