package bus

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"segue/contract"
)

const (
	// defaultMaxPayload is the largest message of a NATS server that does not configure another.
	defaultMaxPayload = 1 << 20
	// headerSize is more than subject and headers need beside the body.
	headerSize = 2 << 10
)

// tooLarge reports that a notice does not fit into a message even without its state and events.
type tooLarge struct{ size, limit int }

func (e *tooLarge) Error() string {
	return fmt.Sprintf("a notice has %d bytes without its state, the bus takes %d; raise max_payload of NATS", e.size, e.limit)
}

// message encodes a notice as one message of at most limit bytes. A state over NoticeStateLimit is
// left out, and all but ids and revision if the rest does not fit.
func message(codec converter.DataConverter, notice *contract.Notice, limit int) (*nats.Msg, error) {
	name, err := subject(livePrefix, notice.ContactCenter, notice.Interaction)
	if err != nil {
		return nil, err
	}
	body, err := encode(codec, notice)
	if err != nil {
		return nil, err
	}
	if len(body) > contract.NoticeStateLimit && notice.State != nil {
		if body, err = withoutLargeState(codec, notice, body, limit); err != nil {
			return nil, err
		}
	}
	if len(body) > limit-headerSize {
		if body, err = encode(codec, bare(notice)); err != nil {
			return nil, err
		}
	}
	if len(body) > limit-headerSize {
		return nil, &tooLarge{size: len(body), limit: limit}
	}
	msg := nats.NewMsg(name)
	msg.Data = body
	msg.Header[msgID] = []string{notice.RunID + "." + strconv.FormatInt(notice.Revision, 10)}
	return msg, nil
}

// withoutLargeState returns the body of a notice without its state if the state or the body is too
// large, else the body as it is.
func withoutLargeState(codec converter.DataConverter, notice *contract.Notice, body []byte, limit int) ([]byte, error) {
	if len(body) <= limit-headerSize {
		state, err := json.Marshal(notice.State)
		if err != nil {
			return nil, fmt.Errorf("encode the state of a notice: %w", err)
		}
		if len(state) <= contract.NoticeStateLimit {
			return body, nil
		}
	}
	shorter := *notice
	shorter.State = nil
	return encode(codec, &shorter)
}

// bare returns what a notice needs so that a gateway queries the state.
func bare(n *contract.Notice) *contract.Notice {
	return &contract.Notice{
		ContactCenter: n.ContactCenter, Interaction: n.Interaction, FirstRunID: n.FirstRunID, RunID: n.RunID,
		Revision: n.Revision, Sequence: n.Sequence, Command: n.Command,
	}
}

func encode(codec converter.DataConverter, notice *contract.Notice) ([]byte, error) {
	payload, err := codec.ToPayload(notice)
	if err != nil {
		return nil, fmt.Errorf("encode a notice: %w", err)
	}
	body, err := proto.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encode a notice: %w", err)
	}
	return body, nil
}

// decode returns the notice of a message. It refuses a notice of another interaction than the one
// of its subject, by which NATS judges who may publish it.
func decode(codec converter.DataConverter, name string, body []byte) (*contract.Notice, error) {
	contactCenter, interaction, err := idsOf(livePrefix, name)
	if err != nil {
		return nil, err
	}
	var payload commonpb.Payload
	if err := proto.Unmarshal(body, &payload); err != nil {
		return nil, fmt.Errorf("decode a notice: %w", err)
	}
	notice := &contract.Notice{}
	if err := codec.FromPayload(&payload, notice); err != nil {
		return nil, fmt.Errorf("decode a notice: %w", err)
	}
	if notice.ContactCenter != contactCenter || notice.Interaction != interaction {
		return nil, fmt.Errorf("a notice on subject %q is about another interaction", name)
	}
	return notice, nil
}

// due is the body of a ping; the subject has the interaction.
type due struct {
	RunID    string `json:"run_id"`
	Revision int64  `json:"revision"`
}

func dueMessage(d contract.Due) (*nats.Msg, error) {
	name, err := subject(duePrefix, d.ContactCenter, d.Interaction)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(due{RunID: d.RunID, Revision: d.Revision})
	if err != nil {
		return nil, fmt.Errorf("encode a ping: %w", err)
	}
	return &nats.Msg{Subject: name, Data: body}, nil
}

func decodeDue(name string, body []byte) (contract.Due, error) {
	contactCenter, interaction, err := idsOf(duePrefix, name)
	if err != nil {
		return contract.Due{}, err
	}
	var d due
	if err := json.Unmarshal(body, &d); err != nil {
		return contract.Due{}, fmt.Errorf("decode a ping: %w", err)
	}
	return contract.Due{ContactCenter: contactCenter, Interaction: interaction, RunID: d.RunID, Revision: d.Revision}, nil
}
