package gws

import (
	"segue/contract"
	"segue/gateway/gws/view"
	"segue/interaction"
)

// input is what an operation reads of the body: it returns what to send for a command, whose name
// package view has chosen. Whether that is legal, the interaction says.
type input func(q *request, command string) ([]command, error)

// inputs are the inputs of all operations, by operationName. Which media have an operation, and for
// which command it stands, is in the table of package view.
var inputs = map[string]input{
	"Accept":         accepting,
	"Answer":         accepting,
	"Reject":         rejecting,
	operationCancel:  plain,
	"Complete":       completing,
	"StopProcessing": completing,
	operationSend:    completing,

	"PlaceInQueue":       queuing,
	"PlaceInWorkbin":     placing,
	"Transfer":           transferring,
	"SingleStepTransfer": transferring,

	"AttachUserData":     changingUserData,
	"UpdateUserData":     changingUserData,
	"DeleteUserData":     deletingUserData,
	"DeleteUserDataPair": deletingPair,
	"SetDisposition":     settingDisposition,
	"AddComment":         commenting,

	"Reply":                  replying,
	"ReplyAll":               replyingToAll,
	view.OperationSetInFocus: focusing,

	"Hold":                 plain,
	"Retrieve":             plain,
	"Hangup":               plain,
	"Leave":                plain,
	"InitiateTransfer":     consulting,
	"CompleteTransfer":     completingTransfer,
	"SingleStepConference": conferencing,
}

const (
	operationCancel = "Cancel"
	operationSend   = "Send"
	commandAccept   = "accept"
)

// ownerIs reports whether an agent owns the interaction.
func ownerIs(state *contract.State, agent string) bool {
	return state.Agent != nil && state.Agent.ID == agent
}

// isOwned reports whether an accept has nothing left to do: the agent has the interaction.
func isOwned(state *contract.State, agent string) bool {
	switch state.State {
	case interaction.StateOffered, interaction.StateStarted, interaction.StateQueued, interaction.StateInWorkbin, interaction.StateCompleted:
		return false
	}
	return ownerIs(state, agent)
}

// plain is the input of an operation without fields.
func plain(_ *request, name string) ([]command, error) { return []command{{name: name}}, nil }

func focusing(*request, string) ([]command, error) { return nil, nil }

func accepting(q *request, name string) ([]command, error) {
	return q.commandWith(name, textField{"nickname", "nickname"})
}

func rejecting(q *request, name string) ([]command, error) {
	return q.commandWith(name, textField{"reason", "reason"})
}

// completing ends the interaction, or the agent's part in it. With a queue, the interaction goes there.
func completing(q *request, name string) ([]command, error) {
	disposition, err := q.disposition()
	if err != nil {
		return nil, err
	}
	queue, err := q.queue()
	switch {
	case err != nil:
		return nil, err
	case queue == "" && disposition == nil:
		return []command{{name: name}}, nil
	case queue == "" && name == "complete":
		return []command{{name, fields{"disposition": disposition}}}, nil
	}
	var given []command
	if disposition != nil {
		given = append(given, command{"set_disposition", disposition})
	}
	if queue == "" {
		return append(given, command{name: name}), nil
	}
	return append(given, command{"place_in_queue", fields{"queue": queue}}), nil
}

func queuing(q *request, name string) ([]command, error) {
	queue, err := q.queue()
	if err == nil && queue == "" {
		err = refuse(codeMissing, "queueName: is missing; name the queue")
	}
	return []command{{name, fields{"queue": queue}}}, err
}

func placing(q *request, name string) ([]command, error) {
	bin, err := q.workbin()
	return []command{{name, fields{"workbin": bin}}}, err
}

func transferring(q *request, name string) ([]command, error) {
	to, err := q.destination()
	return []command{{name, fields{"to": to}}}, err
}

func consulting(q *request, name string) ([]command, error) {
	to, err := q.party()
	return []command{{name, fields{"to": to}}}, err
}

func completingTransfer(_ *request, name string) ([]command, error) {
	return []command{{name, fields{"mode": interaction.TransferConsult}}}, nil
}

func conferencing(q *request, name string) ([]command, error) {
	to, err := q.party()
	if number, isNumber := to["number"]; isNumber {
		return []command{{name, fields{"party": number}}}, err
	}
	return []command{{name, to}}, err
}
