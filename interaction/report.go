package interaction

import (
	"fmt"
	"slices"
)

// reported is a segment on a leg; the leg is empty where the segment has only one.
type reported struct {
	segment Segment
	leg     Leg
}

// onEveryLeg are the segments that each of the three legs has (ECS, "Segment Change").
var onEveryLeg = []Segment{SegmentInteractionStarts, SegmentOffered, SegmentHandling, SegmentInteractionEnds}

// onOneLeg are the others, with handled and abandoned of older ECS pages.
var onOneLeg = []Segment{
	SegmentAgentSelecting, SegmentConsulting, SegmentInConference, SegmentWrapUp, SegmentDialing, SegmentRejected,
	SegmentOverflow, SegmentMissed, SegmentPreview, SegmentAbandoned, SegmentHandled,
}

// reportable are the names that segment_change takes: also with the leg after a dot.
func reportable() []Segment {
	names := slices.Concat(onEveryLeg, onOneLeg)
	for _, segment := range onEveryLeg {
		for _, leg := range []Leg{LegChannel, LegBusinessProcess, LegAgent} {
			names = append(names, Segment(fmt.Sprintf("%s.%s", segment, leg)))
		}
	}
	return names
}

// reports are the commands that the platform's segments mean.
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

// segmentChange is the platform's own report: it opens legs that are missing and
// acts as the command that the segment means, wherever it comes.
func segmentChange(s *step) error {
	report := s.cmd.Body.(SegmentReport)
	act, ok := reports[report.on()]
	if !ok {
		return &InvalidError{Command: s.cmd.Name, Field: "leg", Reason: fmt.Sprintf("is missing; say on which leg %s is: channel, business_process or agent", report.Segment)}
	}
	return act(s, report)
}

// on is the leg that is meant: the agent's, when only an agent is named.
func (report SegmentReport) on() reported {
	if slices.Contains(onOneLeg, report.Segment) {
		return reported{report.Segment, ""}
	}
	if report.Leg == "" && report.Agent != nil && report.Segment != SegmentInteractionEnds {
		return reported{report.Segment, LegAgent}
	}
	return reported{report.Segment, report.Leg}
}

// withProcess opens the business process leg if it is missing and the report names its queue.
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
		return &InvalidError{Command: s.cmd.Name, Field: "queue", Reason: "is missing; no queue is known yet, say which"}
	}
	s.requeue(queue)
	return nil
}

func reportOffered(s *step, report SegmentReport) error {
	agent, err := s.required(report.Agent)
	if err != nil {
		return err
	}
	l := s.first(of(agent.ID), s.offered)
	if s.State == StateOffered && l != nil && l.Segment == report.Segment {
		return nil
	}
	s.withProcess(report)
	return s.offer(Offer{Agents: []Agent{*agent}}, report.Segment)
}

func reportHandling(s *step, report SegmentReport) error {
	agent, err := s.reportedAgent(report)
	if err != nil {
		return err
	}
	s.withProcess(report)
	return s.handles(*agent)
}

// handles lets an agent handle it: accepting, pulling or resuming.
func (s *step) handles(agent Agent) error {
	l := s.first(of(agent.ID), present)
	resumed := l
	if l == nil && s.State == StateWrapUp {
		resumed = s.first(of(agent.ID), wrapping)
	}
	switch {
	case resumed != nil && s.State == StateWrapUp:
		s.own(agent.ID)
		s.handle(resumed)
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
		s.handle(claimed)
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
		return refusal("no agent has it")
	}
	return s.handles(*agent)
}

func reportConsulting(s *step, report SegmentReport) error {
	s.withProcess(report)
	if err := s.handledFirst(report); err != nil {
		return err
	}
	agent := s.acting(report.Agent)
	if agent != nil && s.State == StateConference {
		l, err := s.joining(*agent)
		s.enter(l, SegmentConsulting)
		return err
	}
	if agent != nil && agent.ID == s.Owner {
		agent = nil
	}
	if err := s.consult(agent, ""); err != nil {
		return err
	}
	return s.bring(report.Party, SegmentConsulting)
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
			return s.dial(agent)
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
