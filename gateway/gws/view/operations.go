package view

import (
	"slices"

	"segue/contract"
	"segue/gateway/parts"
	"segue/interaction"
)

// Operation is an operation of an agent on an interaction: a value of operationName.
type Operation struct {
	Name string
	// Command is the wire name of the command for which it stands; empty for one that gives none.
	Command string
	// Others is the command for an agent who does not own the interaction; empty for the same.
	Others string
	// Consulting is the command for an owner who consults; empty for the same.
	Consulting string
	// on are the media that have it, and offered those whose capabilities list it. An operation that is
	// not listed is another name of one that is.
	on, offered media
	// when is a condition besides the command; nil for none.
	when func(*sight) bool
}

// media is a set of media.
type media uint8

const (
	calls media = 1 << iota
	chats
	emails
	openmedia

	texts    = emails | openmedia
	notCalls = chats | texts
	allMedia = calls | notCalls
)

func setOf(m Medium) media {
	switch m.Name {
	case Call.Name:
		return calls
	case Chat.Name:
		return chats
	case Email.Name:
		return emails
	}
	return openmedia
}

// The names of operations that other packages distinguish.
const (
	OperationSetInFocus        = "SetInFocus"
	OperationGetWorkbinContent = "GetWorkbinContent"
)

// Operations are all operations, in the order in which capabilities list them.
var Operations = []Operation{
	{Name: "Accept", Command: "accept", on: allMedia, offered: notCalls},
	{Name: "Answer", Command: "accept", on: allMedia, offered: calls},
	{Name: "Reject", Command: "reject", on: allMedia, offered: allMedia},
	{Name: "Cancel", Command: "cancel", on: allMedia, offered: allMedia},
	{Name: "Send", Command: "complete", on: allMedia, offered: allMedia, when: isDraft},
	{Name: "Reply", Command: "reply", on: emails, offered: emails},
	{Name: "ReplyAll", Command: "reply", on: emails, offered: emails},
	{Name: "Hold", Command: "hold", on: calls, offered: calls, when: nothingToRetrieve},
	{Name: "Retrieve", Command: "retrieve", on: calls, offered: calls},
	{Name: "Hangup", Command: "disconnect", Others: "leave", Consulting: "retrieve", on: calls, offered: calls},
	{Name: "InitiateTransfer", Command: "consult", on: calls, offered: calls},
	{Name: "CompleteTransfer", Command: "transfer", on: calls, offered: calls, when: somebodyConsulted},
	{Name: "SingleStepConference", Command: "conference", on: calls, offered: calls},
	{Name: "SingleStepTransfer", Command: "transfer", on: allMedia, offered: calls},
	{Name: "Transfer", Command: "transfer", on: allMedia, offered: allMedia},
	{Name: "PlaceInQueue", Command: "place_in_queue", on: allMedia, offered: allMedia},
	{Name: "PlaceInWorkbin", Command: "place_in_workbin", on: allMedia, offered: allMedia},
	{Name: "AddComment", Command: "set_attributes", on: allMedia, offered: allMedia},
	{Name: "AttachUserData", Command: "attach_user_data", on: allMedia, offered: allMedia},
	{Name: "UpdateUserData", Command: "update_user_data", on: allMedia, offered: allMedia},
	{Name: "DeleteUserData", Command: "delete_user_data", on: allMedia, offered: allMedia},
	{Name: "DeleteUserDataPair", Command: "delete_user_data", on: allMedia, offered: calls},
	{Name: "SetDisposition", Command: "set_disposition", on: allMedia, offered: allMedia},
	{Name: OperationSetInFocus, on: allMedia, offered: allMedia},
	{Name: "Complete", Command: "complete", Others: "leave", on: allMedia, offered: allMedia, when: isNoDraft},
	{Name: "StopProcessing", Command: "complete", Others: "leave", on: allMedia},
	{Name: "Leave", Command: "disconnect", Others: "leave", Consulting: "retrieve", on: chats, offered: chats},
	{Name: OperationGetWorkbinContent, on: allMedia},
}

// FindOperation returns the operation of a name that a medium has.
func FindOperation(name string, m Medium) (*Operation, bool) {
	for n := range Operations {
		if o := &Operations[n]; o.Name == name && o.on&setOf(m) != 0 {
			return o, true
		}
	}
	return nil, false
}

// CommandFor returns the wire name of the command for which the operation stands if an agent gives it
// now; empty for none.
func (o *Operation) CommandFor(l Look, agent string) string { return o.command(lookAt(l, agent)) }

func (o *Operation) command(s *sight) string {
	switch {
	case o.Others != "" && !s.owns:
		return o.Others
	case o.Consulting != "" && s.state.State == interaction.StateConsulting:
		return o.Consulting
	}
	return o.Command
}

// sight is an interaction as one agent sees it.
type sight struct {
	state *contract.State
	agent string
	leg   parts.Leg
	owns  bool
	// may are the agent's commands.
	may []string
}

func lookAt(l Look, agent string) *sight {
	s := &sight{state: l.State, agent: agent, leg: parts.Of(l.State, agent), owns: parts.Owns(l.State, agent)}
	if s.leg.Part != parts.None {
		s.may = l.CapabilitiesFor[agent]
	}
	return s
}

func (s *sight) can(command string) bool { return slices.Contains(s.may, command) }

// capabilities lists the operations that the agent may give; never nil.
func (s *sight) capabilities() []string {
	if len(s.may) == 0 {
		return []string{}
	}
	listed := make([]string, 0, len(Operations))
	on := setOf(MediumOf(s.state.Channel))
	for n := range Operations {
		if o := &Operations[n]; o.offered&on != 0 && o.isLegal(s) {
			listed = append(listed, o.Name)
		}
	}
	if len(listed) == 1 { // SetInFocus is offered beside others only
		return []string{}
	}
	return listed
}

func (o *Operation) isLegal(s *sight) bool {
	command := o.command(s)
	return (command == "" || s.can(command)) && (o.when == nil || o.when(s))
}

// isDraft: drafts are all that agents may cancel.
func isDraft(s *sight) bool { return s.can("cancel") }

func isNoDraft(s *sight) bool { return !isDraft(s) }

// nothingToRetrieve: the customer is not on hold, and does not wait while the agent consults.
func nothingToRetrieve(s *sight) bool { return !s.can("retrieve") }

// somebodyConsulted: the owner consults an agent or a number, who can take over.
func somebodyConsulted(s *sight) bool {
	return s.state.State == interaction.StateConsulting && slices.ContainsFunc(s.state.Participants, func(p interaction.Participant) bool {
		return p.Agent == nil || p.Agent.ID != s.agent && p.Role != interaction.ParticipantWrapUp
	})
}
