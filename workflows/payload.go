package workflows

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"segue/interaction"
)

// jsonOf returns the JSON of a message that carries one payload. The SDK skips a
// signal that does not decode with no more than a log line; reading it raw keeps
// it visible as a rejected command.
func (b *inbox) jsonOf(args *commonpb.Payloads) ([]byte, error) {
	switch payloads := args.GetPayloads(); len(payloads) {
	case 0:
		return nil, nil
	case 1:
		var raw converter.RawValue
		if err := b.converter.FromPayload(payloads[0], &raw); err != nil {
			return nil, &interaction.InvalidError{Field: "payload", Reason: fmt.Sprintf("cannot be decoded: %v", err)}
		}
		return jsonOfRaw(raw)
	default:
		return nil, &interaction.InvalidError{
			Field: "payload", Value: fmt.Sprintf("%d payloads", len(payloads)), Reason: "send one JSON object",
		}
	}
}

// jsonOfRaw returns the JSON of an update's or a workflow's only argument; none
// is an empty object.
func jsonOfRaw(raw converter.RawValue) ([]byte, error) {
	payload := raw.Payload()
	switch encoding := string(payload.GetMetadata()[converter.MetadataEncoding]); encoding {
	case converter.MetadataEncodingJSON:
		return payload.GetData(), nil
	case "", converter.MetadataEncodingNil:
		if len(payload.GetData()) == 0 {
			return nil, nil
		}
		fallthrough
	default:
		return nil, &interaction.InvalidError{
			Field: "payload", Value: "encoding " + encoding, Reason: "send one JSON object, encoding json/plain",
		}
	}
}
