package view

import (
	"slices"

	"segue/contract"
	"segue/gateway/parts"
	"segue/interaction"
)

// over returns the resource of an agent without a part after the change.
func (c *Change) over(agent, base string) *Resource {
	state := c.state()
	return resourceOf(state, c.overName(state, agent), []string{}, agent, base)
}

// overName returns how a part ended: a lost offer is revoked, unless the agent has turned it down.
func (c *Change) overName(state *contract.State, agent string) string {
	n := namesOf(MediumOf(state.Channel))
	switch {
	case c.lostOffer(agent):
		return n.revoked
	case state.Outcome == interaction.OutcomeCanceled && c.wasDraft(agent):
		return n.canceled
	}
	return n.completed
}

// lostOffer reports whether the agent had yet to accept, and it was not the agent who ended that.
func (c *Change) lostOffer(agent string) bool {
	if by := c.notice.By; by != nil && by.Role == interaction.RoleAgent && by.ID == agent {
		return false
	}
	if c.entered(agent, interaction.SegmentRejected) {
		return false
	}
	if c.knows(agent) {
		return parts.Of(c.before.State, agent).Part.IsInvited()
	}
	return c.wasOffered(agent)
}

// knows reports whether the part of the agent before the change is known.
func (c *Change) knows(agent string) bool {
	return c.before != nil && parts.Of(c.before.State, agent).Part != parts.None
}

// wasOffered reports whether a leg of the agent ended that had been offered, as the events tell.
func (c *Change) wasOffered(agent string) bool {
	return c.hasEvent(agent, func(e *interaction.Event) bool {
		return e.Segment == interaction.SegmentMissed || e.Segment == interaction.SegmentInteractionEnds &&
			(e.From == interaction.SegmentOffered || e.From == interaction.SegmentPreview)
	})
}

// entered reports whether a leg of the agent went into a segment.
func (c *Change) entered(agent string, segment interaction.Segment) bool {
	return c.hasEvent(agent, func(e *interaction.Event) bool { return e.Segment == segment })
}

func (c *Change) hasEvent(agent string, holds func(*interaction.Event) bool) bool {
	return slices.ContainsFunc(c.notice.Events, func(e interaction.Event) bool {
		return e.Moment == interaction.MomentSegmentChange && e.Leg == interaction.LegAgent && e.Agent != nil && e.Agent.ID == agent && holds(&e)
	})
}

// wasDraft reports whether the interaction was a draft before the change.
func (c *Change) wasDraft(agent string) bool {
	if c.before != nil {
		return c.before.State.State == interaction.StateComposing || slices.Contains(c.before.CapabilitiesFor[agent], "cancel") || wasDraft(c.state())
	}
	by := c.notice.By // agents may cancel drafts alone
	return c.notice.Command == "cancel" && by != nil && by.Role == interaction.RoleAgent || wasDraft(c.state())
}
