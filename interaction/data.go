package interaction

import (
	"fmt"
	"slices"
)

// The data of an interaction: user data, dispositions, attributes, signals.

func setDisposition(s *step) error {
	body := s.cmd.Body.(SetDisposition)
	return s.recordDisposition(Disposition{Code: body.Code, Notes: body.Notes}, body.Agent)
}

// recordDisposition records a disposition. Its moment fires if that agent's code changes
// (Engage Voice: "when an agent dispositions a call") and has the survey as it is.
func (s *step) recordDisposition(given Disposition, by *Agent) error {
	agent, err := s.disposingAgent(by)
	if err != nil {
		return err
	}
	given.Agent, given.At = agent, s.at
	last := ""
	if k := s.known(agent); k != nil {
		last = k.Code
		s.updateAgent(agent, func(k *known) { k.Code = given.Code })
	} else if s.Disposition != nil {
		last = s.Disposition.Code
	}
	s.Disposition = &given
	moment := s.moments().disposition
	if moment == "" || last == given.Code {
		return nil
	}
	fields := map[string]any{"code": given.Code, "notes": given.Notes}
	if s.Survey != nil {
		fields["survey"] = s.Survey
	}
	s.addEvent(Event{Moment: moment, Agent: s.agent(agent), Fields: s.fieldsWith(fields)})
	return nil
}

// disposingAgent returns the agent whose disposition it is: the named agent, else the
// agent who gives the command, else the owner, else the last agent who had the interaction;
// "" if no agent ever had it.
func (s *step) disposingAgent(named *Agent) (string, error) {
	if named != nil {
		if s.known(named.ID) == nil {
			return "", s.invalid("agent", named.ID, "never had a leg of this interaction; name an agent who had one")
		}
		return named.ID, nil
	}
	if agent := s.acting(nil); agent != nil && s.known(agent.ID) != nil {
		return agent.ID, nil
	}
	if s.Owner != "" {
		return s.Owner, nil
	}
	if previous := s.previous(""); previous != nil {
		return previous.ID, nil
	}
	if len(s.Agents) > 0 {
		return s.Agents[len(s.Agents)-1].Agent.ID, nil
	}
	return "", nil
}

func attachUserData(s *step) error {
	return s.changeUserData(merged(s.UserData, s.cmd.Body.(UserData).UserData, adding))
}

func updateUserData(s *step) error {
	return s.changeUserData(merged(s.UserData, s.cmd.Body.(UserData).UserData, replacing))
}

func deleteUserData(s *step) error {
	body := s.cmd.Body.(DeleteUserData)
	names := make(map[string]any, len(body.Keys)+len(body.UserData))
	for _, key := range body.Keys {
		names[key] = nil
	}
	rest, byKey := without(s.UserData, names)
	rest, byObject := without(rest, body.UserData)
	return s.changeUserData(rest, byKey || byObject)
}

func (s *step) changeUserData(data map[string]any, changed bool) error {
	if !changed {
		return nil
	}
	if reason := tooLarge(data); reason != "" {
		return &InvalidError{Command: s.cmd.Name, Field: "user_data", Why: WhyTooLarge, Reason: "all user data together " + reason}
	}
	s.UserData = data
	s.fire(MomentUserDataChanged)
	return nil
}

func setAttributes(s *step) error {
	body := s.cmd.Body.(SetAttributes)
	for _, attribute := range []struct {
		to    *string
		value *string
	}{
		{&s.NativeID, body.NativeID}, {&s.BusinessProcess, body.BusinessProcess},
		{&s.ANI, body.ANI}, {&s.DNIS, body.DNIS}, {&s.Comment, body.Comment},
	} {
		if attribute.value != nil {
			*attribute.to = *attribute.value
		}
	}
	if body.Customer != nil {
		s.Customer = body.Customer
	}
	return nil
}

func survey(s *step) error {
	answers, _ := merged(s.Survey, s.cmd.Body.(Survey).Answers, replacing)
	if reason := tooLarge(answers); reason != "" {
		return &InvalidError{Command: s.cmd.Name, Field: "answers", Why: WhyTooLarge, Reason: "all answers together " + reason}
	}
	s.Survey = answers
	s.fire(MomentSurvey)
	return nil
}

func queueEvent(s *step) error {
	s.fire(s.moments().queueEvent)
	return nil
}

func dtmf(s *step) error {
	s.fire(s.moments().dtmf)
	return nil
}

func scriptSignal(s *step) error {
	s.fire(MomentScriptSignal)
	return nil
}

// signalAdded offers a script's signal to the agents (HIS interaction.incontact.signaladded).
func signalAdded(s *step) error {
	signal := s.cmd.Body.(Signal)
	signals := slices.DeleteFunc(slices.Clone(s.Signals), signal.sameName)
	if len(signals) >= maxSignals {
		return s.tooMany("name", signal.Name, fmt.Sprintf("%d signals are available, and that is the most; remove some first", maxSignals))
	}
	s.Signals = append(signals, signal)
	return nil
}

func signalRemoved(s *step) error {
	s.Signals = slices.DeleteFunc(slices.Clone(s.Signals), s.cmd.Body.(Signal).sameName)
	return nil
}

func (g Signal) sameName(other Signal) bool { return g.Name == other.Name }
