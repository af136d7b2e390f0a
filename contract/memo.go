package contract

// MemoStart is the key of the memo that has the event_id of an interaction's start. A client
// that starts the interaction again recognizes its own start by it, after the interaction has
// completed, too.
const MemoStart = "segue_start"
