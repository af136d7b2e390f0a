package contract

// MemoStart is the key of the memo that has the event_id of an interaction's start. A client
// that starts the interaction again recognizes its own start by it, after the interaction has
// completed, too.
const MemoStart = "segue_start"

// MemoOpening is the key of the memo that distinguishes starts with the same event_id and reopen
// that are sent at the same time: the first of them has started the interaction.
const MemoOpening = "segue_opening"
