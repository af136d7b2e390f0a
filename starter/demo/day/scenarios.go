package day

// scenario is one way in which an interaction of the day may go.
type scenario struct {
	name string
	// prefix is the prefix of the interaction ids, which shows readers the kind of interaction.
	prefix string
	// count is the number of interactions of the day with this scenario.
	count int
	play  func(*script)
}

// scenarios are all scenarios of the day.
var scenarios = []scenario{
	{"handled", "call", 36, handled},
	{"abandoned", "call", 16, abandoned},
	{"rejected once", "call", 10, rejectedOnce},
	{"rejected for good", "call", 4, rejectedForGood},
	{"missed once", "call", 12, missedOnce},
	{"offered to a group", "call", 8, offeredToGroup},
	{"transferred to an agent", "call", 10, transferredToAgent},
	{"transferred by offer", "call", 6, transferredByOffer},
	{"transferred after consulting", "call", 8, transferredAfterConsulting},
	{"transferred to a queue", "call", 8, transferredToQueue},
	{"transferred to a number", "call", 5, transferredToNumber},
	{"consulted", "call", 6, consulted},
	{"conference", "call", 7, conference},
	{"overflowed", "call", 5, overflowed},
	{"canceled", "call", 3, canceled},

	{"previewed", "out", 10, previewed},
	{"predictive", "out", 12, predictive},
	{"dialed by an agent", "out", 6, dialedByAgent},
	{"not reached", "out", 10, notReached},

	{"cloud routed", "route", 4, cloudRouted},
	{"tracked number", "track", 4, trackedNumber},

	{"chat", "chat", 16, chat},
	{"chat transferred", "chat", 6, chatTransferred},
	{"chat abandoned", "chat", 5, chatAbandoned},

	{"engaged", "web", 14, engaged},
	{"engaged to call back", "web", 4, engagedToCallBack},
	{"engagement declined", "web", 6, engagementDeclined},
	{"engaged at the second attempt", "web", 4, engagedAtSecondAttempt},
	{"not engaged", "web", 8, notEngaged},
	{"engagement withdrawn", "web", 3, engagementWithdrawn},
	{"engagement refused", "web", 5, engagementRefused},

	{"email", "mail", 8, email},
	{"email in a workbin", "mail", 7, emailInWorkbin},
	{"email draft", "mail", 4, emailDraft},
	{"text message", "sms", 4, textMessage},
}
