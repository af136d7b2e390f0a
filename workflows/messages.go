package workflows

import "segue/contract"

// The internal signals that a Delivery sends to its interaction while that is open.
const (
	signalLaneResult  = "lane_result"
	signalLaneDrained = "lane_drained"
	// Between the parts of a lane: begin; this part has passed; this part waits to begin.
	signalRelease    = "release"
	signalPartPassed = "part_passed"
	signalPartWaits  = "part_waits"
)

// laneReport is the payload of lane_result and lane_drained: the results of deliveries that
// the interaction handed over, and the last delivery that the lane has got.
type laneReport struct {
	Call    string       `json:"call"`
	Results []laneResult `json:"results,omitempty"`
	Last    string       `json:"last,omitempty"`
	// Drained: the lane has nothing left; the name of the signal decides.
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
