package alerts

import (
	"time"

	"segue/contract"
)

// parked are the deliveries of one call that this process has parked and not reported.
type parked struct {
	count      int
	last       contract.Failure
	reportedAt time.Time
	waiting    []chan struct{} // closed by the next report
}

// due returns when they are to be reported; zero if there are none.
func (p *parked) due() time.Time {
	if p.count == 0 {
		return time.Time{}
	}
	return p.reportedAt.Add(parkedEvery)
}

// fill writes them into a report.
func (p *parked) fill(report *contract.HealthReport) {
	last := p.last
	report.Parked, report.LastParked = p.count, &last
}

// wait returns a channel that the next report closes.
func (p *parked) wait() <-chan struct{} {
	reported := make(chan struct{})
	p.waiting = append(p.waiting, reported)
	return reported
}

// accepted records that Temporal has accepted a report.
func (p *parked) accepted(report contract.HealthReport, now time.Time) {
	if report.Parked == 0 {
		return
	}
	p.count, p.reportedAt = p.count-report.Parked, now
	for _, reported := range p.waiting {
		close(reported)
	}
	p.waiting = nil
}
