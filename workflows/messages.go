package workflows

import "segue/contract"

// The internal signals that a Delivery sends to its interaction while that is open.
const (
	signalLaneResult  = "lane_result"
	signalLaneDrained = "lane_drained"
	// signalPartPassed is sent by a part to its lane.
	signalPartPassed = "part_passed"
)

// laneReport is the payload of lane_result and lane_drained: the results of deliveries that
// the interaction handed over, and the last delivery that the lane has got.
type laneReport struct {
	Call    string       `json:"call"`
	Results []laneResult `json:"results,omitempty"`
	Last    string       `json:"last,omitempty"`
	// FirstRunID is that of the owner. A reopened interaction gets the reports of the one before it, too.
	FirstRunID string `json:"first_run_id,omitempty"`
	// Drained says that the lane has nothing left; it follows from the signal's name.
	Drained bool `json:"drained,omitempty"`
}

type laneResult struct {
	ID      string                  `json:"id"`
	Status  contract.DeliveryStatus `json:"status"`
	Moment  string                  `json:"when,omitempty"` // of a parked delivery
	Code    int                     `json:"code,omitempty"`
	Class   string                  `json:"class,omitempty"`
	At      string                  `json:"at,omitempty"`
	Why     string                  `json:"why,omitempty"`
	Version string                  `json:"version,omitempty"`
	Returns map[string]any          `json:"returns,omitempty"`
}
