package workflows

import "segue/contract"

// The internal signals that a Delivery sends to its interaction while that is open.
const (
	signalLaneResult  = "lane_result"
	signalLaneDrained = "lane_drained"
	// Between a lane and its parts: begin; this one has had its turn; is it my turn?
	signalRelease    = "release"
	signalPartPassed = "part_passed"
	signalPartWaits  = "part_waits"
)

// laneReport is the payload of both internal signals: what became of deliveries
// that the interaction handed over, and the last delivery the lane has seen.
type laneReport struct {
	Call    string       `json:"call"`
	Results []laneResult `json:"results,omitempty"`
	Last    string       `json:"last,omitempty"`
	// Drained says that the lane had nothing left; the signal's name tells.
	Drained bool `json:"drained,omitempty"`
}

type laneResult struct {
	ID      string                  `json:"id"`
	Status  contract.DeliveryStatus `json:"status"`
	Moment  string                  `json:"when,omitempty"` // of one that is parked
	Code    int                     `json:"code,omitempty"`
	Class   string                  `json:"class,omitempty"`
	At      string                  `json:"at,omitempty"`
	Why     string                  `json:"why,omitempty"`
	Version string                  `json:"version,omitempty"`
	Returns map[string]any          `json:"returns,omitempty"`
}
