package workflows

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"segue/interaction"
)

// jsonOf returns the JSON of a message with one payload. The SDK only logs and skips a signal
// that it cannot decode; reading the payload raw makes it a rejected command.
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

// jsonOfRaw returns the JSON of the only argument of an update or a workflow; nil if there
// is none.
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
