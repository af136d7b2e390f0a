package main

// phrase is one entry of the list. Find is a regular expression in lower case that starts with a literal; a blank in it
// also stands for a line break within a comment, and word boundaries are implied. A match is ignored if Unless matches
// at the same place.
type phrase struct {
	find    string
	instead string
	unless  string
}

// phrases are those that Segue's text does not use.
var phrases = []phrase{
	{find: `tells? (?:you )?(?:whether|if)`, instead: "reports whether"},
	{find: `telling whether`, instead: "reporting whether"},
	{find: `says? (?:whether|if)`, instead: "reports whether"},
	{find: `tells? (?:its|their) (?:metrics|health)`, instead: "serves metrics and health"},
	{find: `is told`, instead: "is notified, receives, is given", unless: `is told apart`},
	{find: `are told`, instead: "are notified, receive, are served", unless: `are told apart`},
	{find: `(?:be|been|being|was|were) told`, instead: "notified, given", unless: `\w+ told apart`},
	{find: `told (?:of|nowhere)`, instead: "notified of"},
	{find: `hears? of`, instead: "is notified of"},
	{find: `who hears`, instead: "who is notified"},
	{find: `anew`, instead: "again, re-…"},
	{find: `once more`, instead: "again"},
	{find: `in force`, instead: "current, active; takes effect, is applied"},
	{find: `into force`, instead: "takes effect, is applied"},
	{find: `what (?:came|comes) of`, instead: "the result, the outcome"},
	{find: `what (?:became|becomes) of`, instead: "the outcome, the state"},
	{find: `what is to come`, instead: "name the thing"},
	{find: `whose turn`, instead: "who is next, the priority"},
	{find: `(?:its|their) turn`, instead: "next, waits for …"},
	{find: `for ever`, instead: "forever"},
	{find: `for good`, instead: "permanently", unless: `for good (?:reasons?|measure|events?|lines?|calls?)`},
	{find: `of now`, instead: "current"},
	{find: `of today`, instead: "current"},
	{find: `none any more`, instead: "when it no longer is"},
	{find: `mak(?:e|es|ing) an end of`, instead: "ends, terminates"},
	{find: `nobody is asked`, instead: "the endpoint has no authentication"},
	{find: `asks nobody`, instead: "has no authentication, does not ask"},
	{find: `left alone`, instead: "is skipped, is not retried for …"},
	{find: `lea(?:ve|ves|ving) (?:(?:it|them|this|that|those) )?alone`, instead: "skips, does not retry"},
	{find: `about sending`, instead: "sending"},
	{find: `that (?:it|they) (?:is|are) at`, instead: "in flight", unless: `that \w+ \w+ at \w`},
	{find: `(?:has|have) part in`, instead: "takes part in"},
	{find: `mend(?:s|ed|ing)?`, instead: "fix, correct"},
	{find: `so that (?:nobody|no one) has to`, instead: "to avoid …"},
	{find: `(?:lies|lie|lay) (?:in|on|beside|behind|below|above)`, instead: "is in, are in, contains"},
	{find: `stands? (?:in|on|beside|below|above|behind)`, instead: "is in, are in", unless: `stands? in for`},
	{find: `stood (?:in|on|beside|below|above|behind)`, instead: "was in", unless: `stood in for`},
}
