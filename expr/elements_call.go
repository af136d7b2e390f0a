package expr

import (
	"math"
	"strconv"
	"strings"
	"time"

	"segue/interaction"
)

// The formats of Engage Voice's times (ANSI SQL-92) and dates.
const (
	sql92     = "2006-01-02 15:04:05.0000"
	sql92Date = "2006-01-02"
)

const groupCall = "The call"

// callElements are about the whole call or chat.
var callElements = []Element{
	{"uii", groupCall, "the call's unique id", "", "`interaction.native_id`, else `interaction.id`", KnownStart, callID},
	{"call_id", groupCall, "the same", "", "as `uii`", KnownStart, callID},
	{"account_id", groupCall, "the account", "", "`account_id` of the platform's data, else `interaction.contact_center`", KnownStart,
		either(sent("account_id"), fact(func(f *interaction.Facts) string { return f.ContactCenter }))},
	{"ani", groupCall, "the customer's number", "", "`interaction.ani`; of an outbound call without one, the dialed number", KnownStart, customerNumber},
	{"ani_npa", groupCall, "its area code: the first three of the last ten digits", "", "as `ani`", KnownStart, digits(0, 3)},
	{"ani_nxx", groupCall, "the three digits after the area code", "", "as `ani`", KnownStart, digits(3, 6)},
	{"ani_last4", groupCall, "its last four digits", "", "as `ani`", KnownStart, digits(6, 10)},
	{"dnis", groupCall, "the number that was called, or the agent's", "", "`interaction.dnis`", KnownStart, fact(func(f *interaction.Facts) string { return f.DNIS })},
	{"call_direction", groupCall, "`INBOUND` or `OUTBOUND`", "", "`interaction.direction`", KnownStart, direction},
	{"call_type", groupCall, "the same", "", "`call_type` of the platform's data, else as `call_direction`", KnownStart, either(sent("call_type"), direction)},
	{"call_start", groupCall, "when it began", unitTime, "`interaction.started_at`", KnownStart, startedAt(sql92)},
	{"call_timestamp", groupCall, "the same", unitTime, "as `call_start`", KnownStart, startedAt(sql92)},
	{"call_dts", groupCall, "the same", unitTime, "as `call_start`", KnownStart, startedAt(sql92)},
	{"call_date", groupCall, "the day it began", unitDate, "`interaction.started_at`", KnownStart, startedAt(sql92Date)},
	{"call_end", groupCall, "when the customer left", unitTime, "`interaction.disconnected_at`", KnownDisconnect, disconnectedAt},
	{"call_duration", groupCall, "from its beginning until the customer left; before that, so far", unitSeconds,
		"`interaction.started_at`, `interaction.disconnected_at`", KnownStart, callDuration},
	{"duration", groupCall, "the same", unitSeconds, "as `call_duration`", KnownStart, callDuration},
	{"on_hold", groupCall, "how long the customer was on hold", unitSeconds, "`durations.hold`", KnownStart, spent(func(d *interaction.Durations) float64 { return d.Hold })},
	{"hold_duration", groupCall, "the same", unitSeconds, "as `on_hold`", KnownStart, spent(func(d *interaction.Durations) float64 { return d.Hold })},
	{"call_result", groupCall, "`Connected`, `Abandoned` or `Deflected`", "",
		"`interaction.connected_at`; without a contact `interaction.outcome`, where overflowed and rejected are `Deflected`", KnownDisconnect, callResult},
	{"transfer_phone", groupCall, "the number that the call was transferred to", "", "the platform's data; at the end of a transfer, its number", KnownSent,
		either(sent("transfer_phone"), transferredTo)},
	{"transfer_number", groupCall, "the same", "", "as `transfer_phone`", KnownSent, either(sent("transfer_number"), transferredTo)},
	{"xfer_dest", groupCall, "the same", "", "as `transfer_phone`", KnownSent, either(sent("xfer_dest"), transferredTo)},
	{"dtmf", groupCall, "the touch tones", "", "`event.digits`", KnownTones, either(ofEvent("digits"), sent("dtmf"))},
}

const groupQueue = "The queue"

// queueElements are about the queue. Engage Voice formerly called a queue a gate.
var queueElements = []Element{
	{"gate_id", groupQueue, "the queue's id", "", "`gate_id` of the platform's data, else the queue's name", KnownStart, either(sent("gate_id"), queueName)},
	{"gate_name", groupQueue, "the queue's name", "", "`event.queue`, else `interaction.queue`", KnownStart, queueName},
	{"queue_id", groupQueue, "the same as `gate_id`", "", "`queue_id` of the platform's data, else the queue's name", KnownStart, either(sent("queue_id"), queueName)},
	{"queue_name", groupQueue, "the same as `gate_name`", "", "as `gate_name`", KnownStart, queueName},
	{"enqueue_time", groupQueue, "when it was placed in the queue", unitTime, "`interaction.enqueued_at`", KnownQueue,
		queueTime("enqueued_at", func(f *interaction.Facts) time.Time { return f.EnqueuedAt })},
	{"dequeue_time", groupQueue, "when it last left the queue", unitTime, "`interaction.dequeued_at`", KnownDequeue,
		queueTime("dequeued_at", func(f *interaction.Facts) time.Time { return f.DequeuedAt })},
	{"queue_duration", groupQueue, "how long it has waited in queues, in total", unitSeconds, "`durations.queue`", KnownStart,
		spent(func(d *interaction.Durations) float64 { return d.Queue })},
	{"queue_event", groupQueue, "the queue event", "", "`event.event`", KnownQueueEvent, either(ofEvent("event"), sent("queue_event"))},
}

func fact(get func(*interaction.Facts) string) reading {
	return func(s *Scope) (string, bool) {
		v := get(&s.View.Interaction)
		return v, v != ""
	}
}

// callID is the id of the call on the platform, else in Segue.
func callID(s *Scope) (string, bool) {
	if f := &s.View.Interaction; f.NativeID != "" {
		return f.NativeID, true
	}
	return s.View.Interaction.ID, true
}

func customerNumber(s *Scope) (string, bool) {
	f := &s.View.Interaction
	if f.ANI == "" && f.Direction == "outbound" {
		return f.Destination, f.Destination != ""
	}
	return f.ANI, f.ANI != ""
}

// digits reads a part of the last ten digits of a North American number.
func digits(from, to int) reading {
	return func(s *Scope) (string, bool) {
		text, _ := customerNumber(s)
		var number []byte
		for _, c := range []byte(text) {
			if '0' <= c && c <= '9' {
				number = append(number, c)
			}
		}
		if len(number) < 10 {
			return "", false
		}
		return string(number[len(number)-10:][from:to]), true
	}
}

func direction(s *Scope) (string, bool) {
	d := s.View.Interaction.Direction
	return strings.ToUpper(d), d != ""
}

func written(at time.Time, format string) (string, bool) {
	if at.IsZero() {
		return "", false
	}
	return at.UTC().Format(format), true
}

func startedAt(format string) reading {
	return func(s *Scope) (string, bool) { return written(s.View.Interaction.StartedAt, format) }
}

func disconnectedAt(s *Scope) (string, bool) {
	return written(s.View.Interaction.DisconnectedAt, sql92)
}

// callDuration ends when the customer leaves: wrap-up is not part of the call.
func callDuration(s *Scope) (string, bool) {
	f := &s.View.Interaction
	if f.DisconnectedAt.IsZero() {
		return seconds(s.View.Durations.Total), true
	}
	return seconds(f.DisconnectedAt.Sub(f.StartedAt).Seconds()), true
}

// seconds writes a number of seconds without a fraction, and 0 for a negative one.
func seconds(span float64) string {
	return strconv.FormatInt(int64(math.Round(max(0, span))), 10)
}

func spent(get func(*interaction.Durations) float64) reading {
	return func(s *Scope) (string, bool) { return seconds(get(&s.View.Durations)), true }
}

// callResult is the result of the call in terms of Engage Voice, once the customer has left.
func callResult(s *Scope) (string, bool) {
	f := &s.View.Interaction
	switch {
	case f.DisconnectedAt.IsZero() && f.Outcome == "":
		return "", false
	case !f.ConnectedAt.IsZero():
		return "Connected", true
	case f.Outcome == interaction.OutcomeOverflowed, f.Outcome == interaction.OutcomeRejected:
		return "Deflected", true
	}
	return "Abandoned", true
}

// transferredTo is the number of a transfer, at the end of the transfer.
func transferredTo(s *Scope) (string, bool) {
	to := s.View.Interaction.Destination
	return to, to != "" && strings.HasSuffix(string(s.Event.Moment), ".transfer_term")
}

// queueName is the queue of the event. The interaction may be in another one by now.
func queueName(s *Scope) (string, bool) {
	name := s.Event.Queue
	if name == "" {
		name = s.View.Interaction.Queue
	}
	return name, name != ""
}

// queueTime reads a time of the event's queue: a field of the dequeue command, else the time
// of the interaction if it is still in that queue.
func queueTime(name string, get func(*interaction.Facts) time.Time) reading {
	return func(s *Scope) (string, bool) {
		if own, ok := s.Event.Fields[name].(string); ok {
			if at, err := time.Parse(time.RFC3339Nano, own); err == nil {
				return written(at, sql92)
			}
		}
		if queue, _ := queueName(s); queue != s.View.Interaction.Queue {
			return "", false
		}
		return written(get(&s.View.Interaction), sql92)
	}
}
