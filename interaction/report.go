package interaction

import (
	"fmt"
	"slices"
)

// reported is a segment on a leg; leg is empty for a segment that exists on one leg only.
type reported struct {
	segment Segment
	leg     Leg
}

// onEveryLeg are the segments that exist on each of the three legs (ECS, "Segment Change").
var onEveryLeg = []Segment{SegmentInteractionStarts, SegmentOffered, SegmentHandling, SegmentInteractionEnds}

// onOneLeg are the other segments, with handled and abandoned of older ECS pages.
var onOneLeg = []Segment{
	SegmentAgentSelecting, SegmentConsulting, SegmentInConference, SegmentWrapUp, SegmentDialing, SegmentRejected,
	SegmentOverflow, SegmentMissed, SegmentPreview, SegmentAbandoned, SegmentHandled,
}

// reportable returns the names that segment_change takes, also with the leg after a dot.
func reportable() []Segment {
	names := slices.Concat(onEveryLeg, onOneLeg)
	for _, segment := range onEveryLeg {
		for _, leg := range []Leg{LegChannel, LegBusinessProcess, LegAgent} {
			names = append(names, Segment(fmt.Sprintf("%s.%s", segment, leg)))
		}
	}
	return names
}

// reports are the effects of the segments that the platform reports.
var reports = map[reported]func(*step, SegmentReport) error{
	{SegmentAgentSelecting, ""}:                    reportQueued,
	{SegmentOffered, LegAgent}:                     reportOffered,
	{SegmentPreview, ""}:                           reportOffered,
	{SegmentHandling, LegAgent}:                    reportHandling,
	{SegmentHandling, LegChannel}:                  reportConnected,
	{SegmentConsulting, ""}:                        reportConsulting,
	{SegmentInConference, ""}:                      reportConference,
	{SegmentDialing, ""}:                           reportDialing,
	{SegmentRejected, ""}:                          reportRejected,
	{SegmentMissed, ""}:                            reportMissed,
	{SegmentOverflow, ""}:                          reportOverflow,
	{SegmentAbandoned, ""}:                         reportAbandoned,
	{SegmentHandled, ""}:                           reportEnded,
	{SegmentInteractionEnds, ""}:                   reportEnded,
	{SegmentInteractionEnds, LegChannel}:           reportDisconnected,
	{SegmentInteractionEnds, LegAgent}:             reportLeft,
	{SegmentWrapUp, ""}:                            reportWrapUp,
	{SegmentInteractionStarts, LegAgent}:           touchAgent,
	{SegmentInteractionStarts, LegChannel}:         touchChannel,
	{SegmentOffered, LegChannel}:                   touchChannel,
	{SegmentInteractionStarts, LegBusinessProcess}: touchProcess,
	{SegmentOffered, LegBusinessProcess}:           touchProcess,
	{SegmentHandling, LegBusinessProcess}:          touchProcess,
	{SegmentInteractionEnds, LegBusinessProcess}:   touchProcess,
}

// segmentChange is a report of the platform. It opens legs that are missing, and acts as
// the command that the segment stands for, in any state.
func segmentChange(s *step) error {
	report := s.cmd.Body.(SegmentReport)
	act, ok := reports[report.on()]
	if !ok {
		return &InvalidError{Command: s.cmd.Name, Field: "leg", Why: WhyMissing, Reason: fmt.Sprintf("is missing; name the leg of %s: channel, business_process or agent", report.Segment)}
	}
	return act(s, report)
}

// on returns the leg that is meant: the agent's if only an agent is named.
func (report SegmentReport) on() reported {
	if slices.Contains(onOneLeg, report.Segment) {
		return reported{report.Segment, ""}
	}
	if report.Leg == "" && report.Agent != nil && report.Segment != SegmentInteractionEnds {
		return reported{report.Segment, LegAgent}
	}
	return reported{report.Segment, report.Leg}
}

// withProcess opens the business process leg if it is missing and the report names a queue.
func (s *step) withProcess(report SegmentReport) {
	if s.processLeg() == nil && report.Queue != "" {
		s.joinQueue(report.Queue)
	}
}

func reportQueued(s *step, report SegmentReport) error {
	queue := report.Queue
	for _, known := range []string{s.Queue, s.BusinessProcess} {
		if queue == "" {
			queue = known
		}
	}
	if queue == "" {
		return &InvalidError{Command: s.cmd.Name, Field: "queue", Why: WhyMissing, Reason: "is missing; no queue is known yet, name it"}
	}
	s.requeue(queue)
	return nil
}

func reportOffered(s *step, report SegmentReport) error {
	agent, err := s.required(report.Agent)
	if err != nil {
		return err
	}
	l := s.first(ofAgent(agent.ID), s.offered)
	if s.State == StateOffered && l != nil && l.Segment == report.Segment {
		return nil
	}
	s.withProcess(report)
	return s.offerTo(Offer{Agents: []Agent{*agent}}, report.Segment)
}

func reportHandling(s *step, report SegmentReport) error {
	agent, err := s.reportedAgent(report)
	if err != nil {
		return err
	}
	s.withProcess(report)
	return s.handleBy(*agent)
}

// handleBy makes an agent handle the interaction: by accepting, pulling or resuming.
func (s *step) handleBy(agent Agent) error {
	l := s.first(ofAgent(agent.ID), present)
	resumed := l
	if l == nil && s.State == StateWrapUp {
		resumed = s.first(ofAgent(agent.ID), wrapping)
	}
	switch {
	case resumed != nil && s.State == StateWrapUp:
		s.own(agent.ID)
		s.beginHandling(resumed)
	case l != nil && s.State == StateConference:
		l.Held = false
		s.enter(l, SegmentHandling)
	case l != nil && s.State == StateConsulting && s.Owner == agent.ID:
		l.Held = false
		s.endConsultation()
	default:
		claimed, err := s.claim(agent)
		if err != nil {
			return err
		}
		claimed.Held = false
		s.beginHandling(claimed)
	}
	return nil
}

func reportConnected(s *step, report SegmentReport) error {
	s.withProcess(report)
	if s.State == StateStarted || s.State == StateDialing {
		return connect(s)
	}
	s.enter(s.channelLeg(), SegmentHandling)
	return nil
}

// handledFirst brings the interaction into a state in which agents can share it.
func (s *step) handledFirst(report SegmentReport) error {
	if slices.Contains(talking, s.State) && s.ownerLeg() != nil {
		return nil
	}
	agent := s.acting(report.Agent)
	if l := s.ownerLeg(); l != nil {
		agent = s.agent(l.Agent)
	}
	if agent == nil {
		return unmet("no agent has the interaction")
	}
	return s.handleBy(*agent)
}

func reportConsulting(s *step, report SegmentReport) error {
	s.withProcess(report)
	if err := s.handledFirst(report); err != nil {
		return err
	}
	agent := s.acting(report.Agent)
	if agent != nil && s.State == StateConference {
		l, err := s.presentLeg(*agent)
		s.enter(l, SegmentConsulting)
		return err
	}
	if agent != nil && agent.ID == s.Owner {
		agent = nil
	}
	if err := s.consultWith(agent, ""); err != nil {
		return err
	}
	return s.addParty(report.Party, SegmentConsulting)
}

func reportConference(s *step, report SegmentReport) error {
	s.withProcess(report)
	if err := s.handledFirst(report); err != nil {
		return err
	}
	return s.confer(s.acting(report.Agent), report.Party)
}

func reportDialing(s *step, report SegmentReport) error {
	s.withProcess(report)
	if report.Party != "" {
		s.Destination = report.Party
	}
	agent := s.acting(report.Agent)
	switch s.State {
	case StateStarted, StateHandling, StateDialing:
		if agent == nil || s.Owner == "" || s.Owner == agent.ID {
			return s.dialFor(agent)
		}
	case StateOffered, StateQueued, StateInWorkbin, StateEngaging:
		if agent != nil {
			if _, err := s.claim(*agent); err != nil {
				return err
			}
			s.State = StateDialing
		}
	}
	s.enter(s.channelLeg(), SegmentDialing)
	return nil
}
