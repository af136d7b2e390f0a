package expr

import (
	"segue/interaction"
)

const groupAgent = "The agent"

// agentElements are about the agent of the event, else the agent of the interaction.
var agentElements = []Element{
	{"agent_id", groupAgent, "the agent's id", "", "`agent.id`", KnownAgent, agentText(func(a *interaction.Agent) string { return a.ID })},
	{"agent_name", groupAgent, "the agent's name", "", "`agent.name`", KnownAgent, agentText(func(a *interaction.Agent) string { return a.Name })},
	{"agent_first_name", groupAgent, "the agent's first name", "", "`agent.first_name`, else the first word of `agent.name`", KnownAgent, agentName(0)},
	{"agent_last_name", groupAgent, "the agent's last name", "", "`agent.last_name`, else the rest of `agent.name`", KnownAgent, agentName(1)},
	{"agent_username", groupAgent, "the agent's login name", "", "`agent.username`", KnownAgent, ofAgent("username")},
	{"username", groupAgent, "the same", "", "as `agent_username`", KnownAgent, ofAgent("username")},
	{"agent_externid", groupAgent, "the agent's id in another system", "", "`agent.extern_id`, `externid` or `external_id`", KnownAgent, externalAgent},
	{"agent_extern_id", groupAgent, "the same", "", "as `agent_externid`", KnownAgent, externalAgent},
	{"extern_agent_id", groupAgent, "the same", "", "as `agent_externid`", KnownAgent, externalAgent},
	{"external_agent_id", groupAgent, "the same", "", "as `agent_externid`", KnownAgent, externalAgent},
	{"agent_phone", groupAgent, "the agent's phone number", "", "`agent.phone`", KnownAgent, ofAgent("phone")},
	{"agent_email", groupAgent, "the agent's email address", "", "`agent.email`", KnownAgent, ofAgent("email")},
	{"agent_team", groupAgent, "the agent's team", "", "`agent.team`", KnownAgent, ofAgent("team")},
	{"team", groupAgent, "the same", "", "as `agent_team`", KnownAgent, ofAgent("team")},
	{"agent_location", groupAgent, "where the agent sits", "", "`agent.location`", KnownAgent, ofAgent("location")},
	{"agent_group_id", groupAgent, "the id of the agent's group", "", "`agent.group_id`", KnownAgent, ofAgent("group_id")},
	{"agent_group_name", groupAgent, "the agent's group", "", "`agent.group_name`", KnownAgent, ofAgent("group_name")},
	{"agent_login_id", groupAgent, "the id of the agent's login", "", "`agent.login_id`", KnownAgent, ofAgent("login_id")},
	{"agent_duration", groupAgent, "how long the customer was connected to agents, in total", unitSeconds, "`durations.handle`", KnownStart,
		spent(func(d *interaction.Durations) float64 { return d.Handle })},
	{"sess_duration", groupAgent, "how long the customer was connected to this agent; until then, so far", unitSeconds, "the agent's own leg", KnownConnect, sessionDuration},
	{"agent_wrap_time", groupAgent, "from the end of the agent's contact to the agent's disposition", unitSeconds, "`disposition.at`, the agent's own leg", KnownDisposition, wrapTime},
	{"wrap_time", groupAgent, "the same", unitSeconds, "as `agent_wrap_time`", KnownDisposition, wrapTime},
	{"agent_wait_time", groupAgent, "from the agent's disposition to the agent's next call", "as sent", "`agent.wait_time`", KnownAgent, ofAgent("wait_time")},
}

const groupDisposition = "The disposition"

var dispositionElements = []Element{
	{"agent_disposition", groupDisposition, "the latest disposition code that an agent gave", "", "`disposition.code`", KnownDisposition, dispositionText(func(d *interaction.Disposition) string { return d.Code })},
	{"agent_notes", groupDisposition, "the agent's notes", "", "`disposition.notes`", KnownDisposition, dispositionText(func(d *interaction.Disposition) string { return d.Notes })},
	{"call_notes", groupDisposition, "the same", "", "as `agent_notes`", KnownDisposition, dispositionText(func(d *interaction.Disposition) string { return d.Notes })},
	{"notes", groupDisposition, "the same", "", "as `agent_notes`, else `notes` of the platform's data", KnownDisposition,
		either(dispositionText(func(d *interaction.Disposition) string { return d.Notes }), sent("notes"))},
	{"outbound_disposition", groupDisposition, "the dialer's result of an outbound call", "",
		"`outbound_disposition` of the platform's data; without one, `disposition.code` of an outbound call", KnownDisposition, either(sent("outbound_disposition"), outboundDisposition)},
}

const groupSurvey = "The survey"

var surveyElements = []Element{
	{"survey_results", groupSurvey, "all answers so far", "a JSON object", "`survey`", KnownSurvey, allAnswers},
	{"survey_result", groupSurvey, "the same", "a JSON object", "as `survey_results`", KnownSurvey, allAnswers},
}

func agentText(get func(*interaction.Agent) string) reading {
	return func(s *Scope) (string, bool) {
		a := s.agent()
		if a == nil {
			return "", false
		}
		v := get(a)
		return v, v != ""
	}
}

// agentName reads first_name or last_name, else the first word of the agent's name or the
// rest.
func agentName(part int) reading {
	key := []string{"first_name", "last_name"}[part]
	return func(s *Scope) (string, bool) {
		a := s.agent()
		if v, ok := dataText(agentAttribute(a, key)); ok || a == nil {
			return v, ok
		}
		first, rest := cutName(a.Name)
		v := []string{first, rest}[part]
		return v, v != ""
	}
}

func cutName(name string) (first, rest string) {
	for i, r := range name {
		if r == ' ' {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// ofAgent reads an attribute of the agent, with or without the prefix agent_, else what the
// platform sent under the name with the prefix.
func ofAgent(names ...string) reading {
	return func(s *Scope) (string, bool) {
		a := s.agent()
		for _, name := range names {
			for _, key := range []string{"agent_" + name, name} {
				if v, ok := dataText(agentAttribute(a, key)); ok {
					return v, true
				}
			}
		}
		return sent("agent_" + names[0])(s)
	}
}

var externalAgent = ofAgent("externid", "extern_id", "external_id", "external_agent_id")

// sessionDuration is the duration of the agent's session in the event.
func sessionDuration(s *Scope) (string, bool) {
	session := s.Event.Session
	if session == nil {
		return "", false
	}
	end := session.EndedAt
	if end.IsZero() {
		end = s.Event.At
	}
	return seconds(end.Sub(session.ConnectedAt).Seconds()), true
}

// wrapTime is the time from the end of the agent's session, or of the call, to the
// disposition.
func wrapTime(s *Scope) (string, bool) {
	d := s.View.Disposition
	if d == nil || d.At.IsZero() {
		return "", false
	}
	begin := s.View.Interaction.DisconnectedAt
	if a := s.Event.Agent; a != nil && a.ID == d.Agent && s.Event.Session != nil {
		begin = s.Event.Session.EndedAt
	}
	if begin.IsZero() {
		return seconds(0), true // it was given before the contact ended
	}
	return seconds(d.At.Sub(begin).Seconds()), true
}

func dispositionText(get func(*interaction.Disposition) string) reading {
	return func(s *Scope) (string, bool) {
		d := s.View.Disposition
		if d == nil {
			return "", false
		}
		v := get(d)
		return v, v != ""
	}
}

func outboundDisposition(s *Scope) (string, bool) {
	d := s.View.Disposition
	if d == nil || s.View.Interaction.Direction != "outbound" {
		return "", false
	}
	return d.Code, true
}

// answer reads the answer to one question of the survey.
func answer(question string) reading {
	return func(s *Scope) (string, bool) {
		for _, name := range []string{question, surveyPrefix + question} {
			v, found := s.View.Survey[name]
			if text, ok := dataText(v, found); ok {
				return text, true
			}
		}
		return sent(surveyPrefix + question)(s)
	}
}

func allAnswers(s *Scope) (string, bool) {
	if len(s.View.Survey) == 0 {
		return "", false
	}
	return dataText(s.View.Survey, true)
}
