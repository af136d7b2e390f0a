package index

import "segue/contract"

// What values take in memory, about.
const (
	noticeWeight = 1200
	eventWeight  = 400
	valueWeight  = 48
)

// weigh estimates the memory of a notice.
func weigh(n *contract.Notice) int64 {
	weight := int64(noticeWeight)
	for i := range n.Events {
		weight += eventWeight + weightOf(n.Events[i].Fields)
	}
	for _, capabilities := range n.CapabilitiesFor {
		weight += int64(len(capabilities)+2) * valueWeight
	}
	if s := n.State; s != nil {
		weight += int64(len(s.Participants)+len(s.OfferedTo)+len(s.Signals)+len(s.Missing)) * eventWeight
		weight += int64(len(s.Capabilities)+len(s.Children)) * valueWeight
		weight += weightOf(s.UserData) + weightOf(s.Survey) + weightOf(s.Customer)
	}
	return weight
}

func weightOf(value any) int64 {
	weight := int64(valueWeight)
	switch v := value.(type) {
	case string:
		weight += int64(len(v))
	case map[string]any:
		for key, item := range v {
			weight += int64(len(key)) + valueWeight + weightOf(item)
		}
	case []any:
		for _, item := range v {
			weight += weightOf(item)
		}
	}
	return weight
}
