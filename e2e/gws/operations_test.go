package gws_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"segue/interaction"
)

// operation is an operation of GWS, with one set of fields.
type operation struct {
	name   string // of the operation, and of the test
	fields string // of the body, besides operationName and referenceId
	// commands are what it does to an interaction as the agent sees it; none for nothing.
	commands func(l look) []command
	// code is the statusCode of an operation without commands.
	code   int
	method string
	path   string // {id} is the interaction's; empty: the usual ones
	// isFor reports whether the documents say what the operation does in a situation; nil: in each.
	isFor func(s scene) bool
	// of is the only medium that has the operation; others answer 3.
	of medium
	// isOwners marks an operation of which the documents say only what it is for an owner.
	isOwners bool
}

func (o operation) String() string {
	return o.name + strings.NewReplacer(`"`, "", " ", "").Replace(o.fields)
}

// is makes a command of an operation.
func is(name string, payload ...string) func(look) []command {
	return func(l look) []command {
		fields := map[string]any{}
		if len(payload) > 0 {
			if err := json.Unmarshal([]byte(payload[0]), &fields); err != nil {
				panic(err)
			}
		}
		return []command{{name, fields}}
	}
}

func isOwner(l look) bool { return l.owner() == l.agent }

// orLeave is the command for the owner; for others leave.
func orLeave(name string, payload ...string) func(look) []command {
	return func(l look) []command {
		if isOwner(l) {
			return is(name, payload...)(l)
		}
		return is("leave")(l)
	}
}

// hangUp is disconnect; in a consultation it ends the consult alone.
func hangUp(l look) []command {
	if l.State == interaction.StateConsulting && isOwner(l) {
		return is("retrieve")(l)
	}
	return orLeave("disconnect")(l)
}

func onDraft(s scene) bool { return s.name == composing.name }

func inWorkbin(s scene) bool { return s.name == "in-workbin" }

func and(fields ...string) string { return strings.Join(fields, ",") }

const number = "+4930555"

// operations is the table of operations.
var operations = []operation{
	{name: "Accept", commands: is("accept")},
	{name: "Answer", commands: is("accept")},
	{name: "Accept", fields: `"nickname":"Ann"`, commands: is("accept")},
	{name: "Reject", commands: is("reject")},
	{name: "Reject", fields: `"reason":"lunch"`, commands: is("reject", `{"reason":"lunch"}`)},
	{name: "Cancel", commands: is("cancel")},
	{name: "Complete", commands: orLeave("complete")},
	{name: "StopProcessing", commands: orLeave("complete")},
	{name: "Send", commands: is("complete"), isFor: onDraft, isOwners: true},
	{name: "Complete", fields: `"disposition":"sold"`, commands: is("complete", `{"disposition":{"code":"sold"}}`), isOwners: true},
	{name: "Complete", fields: `"queueName":"support"`, commands: is("place_in_queue", `{"queue":"support"}`)},
	{name: "PlaceInQueue", fields: `"queueName":"support"`, commands: is("place_in_queue", `{"queue":"support"}`)},
	{name: "PlaceInQueue", fields: `"queueUri":"http://segue/api/v2/queues/support"`, commands: is("place_in_queue", `{"queue":"support"}`)},
	{name: "PlaceInQueue", commands: is("place_in_queue")},
	{name: "PlaceInQueue", fields: `"queueName":7`, commands: is("place_in_queue", `{"queue":7}`)},
	{name: "AttachUserData", fields: `"userData":{"x":1,"a":9}`, commands: is("attach_user_data", `{"user_data":{"x":1,"a":9}}`)},
	{name: "UpdateUserData", fields: `"userData":{"x":1,"a":9,"b":{"d":"e"}}`, commands: is("update_user_data", `{"user_data":{"x":1,"a":9,"b":{"d":"e"}}}`)},
	{name: "UpdateUserData", commands: is("update_user_data")},
	{name: "UpdateUserData", fields: `"userData":[1]`, commands: is("update_user_data", `{"user_data":[1]}`)},
	{name: "DeleteUserData", fields: `"userData":{"b":{"c":0}}`, commands: is("delete_user_data", `{"user_data":{"b":{"c":0}}}`)},
	{name: "DeleteUserData", fields: `"userData":{"none":0}`, commands: is("delete_user_data", `{"user_data":{"none":0}}`)},
	{name: "DeleteUserDataPair", fields: `"key":"a"`, commands: is("delete_user_data", `{"keys":["a"]}`)},
	{name: "DeleteUserData", fields: `"keys":["a","none"]`, commands: is("delete_user_data", `{"keys":["a","none"]}`)},
	{name: "DeleteUserData", commands: is("delete_user_data")},
	{name: "PlaceInWorkbin", fields: `"workbin":"later"`, commands: is("place_in_workbin", `{"workbin":"later"}`)},
	{name: "PlaceInWorkbin", fields: `"workbin":{"name":"later","owner":"ann"}`, commands: is("place_in_workbin", `{"workbin":{"name":"later","owner":"ann"}}`)},
	{name: "PlaceInWorkbin", fields: `"workbinId":"later"`, commands: is("place_in_workbin", `{"workbin":"later"}`)},
	{name: "PlaceInWorkbin", commands: is("place_in_workbin")},
	{name: "Transfer", fields: `"userId":"carl"`, commands: is("transfer", `{"to":{"agent":"carl"}}`)},
	{name: "Transfer", fields: `"userId":"ann"`, commands: is("transfer", `{"to":{"agent":"ann"}}`)},
	{name: "SingleStepTransfer", fields: `"userUri":"http://segue/api/v2/users/carl"`, commands: is("transfer", `{"to":{"agent":"carl"}}`)},
	{name: "SingleStepTransfer", fields: `"targetUri":"http://segue/api/v2/queues/support"`, commands: is("transfer", `{"to":{"queue":"support"}}`)},
	{name: "SingleStepTransfer", fields: `"targetPath":"/users/bob"`, commands: is("transfer", `{"to":{"agent":"bob"}}`)},
	{name: "Transfer", fields: `"queueName":"support"`, commands: is("transfer", `{"to":{"queue":"support"}}`)},
	{name: "SingleStepTransfer", fields: `"destination":{"phoneNumber":"` + number + `"}`, commands: is("transfer", `{"to":{"number":"`+number+`"}}`)},
	{name: "Transfer", code: 1},
	{name: "Reply", commands: is("reply"), of: mediumEmail},
	{name: "ReplyAll", fields: `"userData":{"subject":"Re: you"}`, commands: is("reply", `{"all":true,"user_data":{"subject":"Re: you"}}`), of: mediumEmail},
	{name: "SetDisposition", fields: `"disposition":"sold"`, commands: is("set_disposition", `{"code":"sold"}`)},
	{name: "SetDisposition", commands: is("set_disposition")},
	{name: "AddComment", fields: `"comment":"a regular"`, commands: is("set_attributes", `{"comment":"a regular"}`)},
	{name: "Hold", commands: is("hold"), of: mediumCall},
	{name: "Retrieve", commands: is("retrieve"), of: mediumCall},
	{name: "Hangup", commands: hangUp, of: mediumCall},
	{name: "Leave", commands: hangUp, of: mediumChat},
	{name: "InitiateTransfer", fields: `"destination":{"phoneNumber":"` + number + `"}`, commands: is("consult", `{"to":{"number":"`+number+`"}}`), of: mediumCall},
	{name: "CompleteTransfer", commands: is("transfer", `{"mode":"consult"}`), of: mediumCall},
	{name: "SingleStepConference", fields: `"destination":{"phoneNumber":"` + number + `"}`, commands: is("conference", `{"party":"`+number+`"}`), of: mediumCall},
	{name: "SetInFocus", isFor: func(s scene) bool { return s.name == "handling" }},
	{name: "GetWorkbinContent", fields: `"workbin":"drafts"`},
	{name: "Fly", code: 3},
	{name: "", code: 1},
	{name: "PullInteraction", path: "/api/v2/me/workbins/drafts", commands: is("accept"), isFor: inWorkbin},
	{name: "PullEmail", path: "/api/v2/workbins/drafts", commands: is("accept"), isFor: func(s scene) bool { return inWorkbin(s) && s.channel == interaction.ChannelEmail }},
	{name: "AddInteraction", path: "/api/v2/me/workbins/later", commands: is("place_in_workbin", `{"workbin":"later"}`)},

	{name: "put", method: http.MethodPut, fields: `"userData":{"x":1}`, commands: is("update_user_data", `{"user_data":{"x":1}}`)},
	{name: "put", method: http.MethodPut, fields: `"disposition":"sold"`, commands: is("set_disposition", `{"code":"sold"}`)},
	{name: "put", method: http.MethodPut, fields: `"comment":"a regular"`, commands: is("set_attributes", `{"comment":"a regular"}`)},
	{name: "put", method: http.MethodPut, fields: and(`"userData":{"x":1}`, `"disposition":"sold"`, `"comment":"a regular"`), commands: func(l look) []command {
		return slices.Concat(is("update_user_data", `{"user_data":{"x":1}}`)(l), is("set_disposition", `{"code":"sold"}`)(l), is("set_attributes", `{"comment":"a regular"}`)(l))
	}},
	{name: "put", method: http.MethodPut, fields: `"other":1`, code: 1},
}

// verdict is what an operation must do.
type verdict struct {
	status int
	code   int
	// steps are the commands that are applied, in order, and children the drafts they start.
	steps    []step
	children []interaction.Start
}

// step is a command that is applied: how the agents see the interaction before and after it.
type step struct {
	command
	by            *interaction.Actor
	before, after map[string]look
	sequence      int64
}

// judge returns what an operation of a caller must do, and makes the twin do it.
func judge(t *twin, c caller, o operation) verdict {
	switch {
	case c == nobody:
		return verdict{status: http.StatusUnauthorized, code: 20}
	case !c.isAgent() && !o.isReachable():
		return verdict{status: http.StatusForbidden, code: 5}
	case c.centers != "acme" && !o.isOfNone():
		return verdict{status: http.StatusNotFound, code: 6}
	case c.isAgent() && t.Completed() && !slices.Contains(t.Involved(), c.name) && !o.isOfNone():
		return verdict{status: http.StatusNotFound, code: 6}
	}
	v := verdict{status: http.StatusOK, code: o.code}
	seen := t.seenBy(c.name)
	switch {
	case o.of != (medium{}) && o.of != seen.medium:
		v.code = 3
		return v
	case o.commands == nil:
		return v
	}
	var codes []int
	for _, do := range o.commands(seen) {
		if payload := do.payload; c.isAgent() && slices.Contains([]string{"accept", "reject", "leave"}, do.name) {
			payload["agent"] = c.name
		}
		made := step{command: do, by: c.actor(), before: t.looks()}
		code, children := t.judge(do, c)
		if do.name == "accept" && code != 0 && isOwner(seen) && !t.Completed() {
			return v
		}
		if codes = append(codes, code); code == 0 {
			made.after, made.sequence = t.looks(), t.Sequence()
			v.steps, v.children = append(v.steps, made), append(v.children, children...)
		}
	}
	switch {
	case len(v.steps) == len(codes):
	case len(v.steps) > 0:
		v.code = 7
	default:
		v.code = codes[0]
	}
	return v
}

// isReachable reports whether a caller who is no agent may send it.
func (o operation) isReachable() bool { return o.method == http.MethodPut }

// isOfNone reports whether the id of the interaction means nothing.
func (o operation) isOfNone() bool { return o.name == "GetWorkbinContent" }

// looks returns how each agent sees the interaction.
func (t *twin) looks() map[string]look {
	seen := map[string]look{}
	for _, c := range agents {
		seen[c.name] = t.seenBy(c.name)
	}
	return seen
}

// judge returns the statusCode of a command.
func (t *twin) judge(do command, c caller) (int, []interaction.Start) {
	over := t.Completed() && !t.Lingers()
	children, err := t.give(do, c.actor())
	var illegal *interaction.IllegalError
	var invalid *interaction.InvalidError
	why := interaction.Why("")
	switch {
	case err == nil:
		return 0, children
	case errors.As(err, &invalid):
		why = invalid.Why
	case over:
		return 2, nil
	case errors.As(err, &illegal):
		why = illegal.Why
	default:
		panic(err)
	}
	return map[interaction.Why]int{interaction.WhyState: 2, interaction.WhyNeeds: 2, interaction.WhyOrder: 2, interaction.WhyAgent: 5, interaction.WhyRole: 5,
		interaction.WhyMissing: 1, interaction.WhyInvalid: 10, interaction.WhyTooLarge: 10, interaction.WhyUnknown: 3}[why], nil
}
