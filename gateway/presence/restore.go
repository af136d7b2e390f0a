package presence

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"segue/bus"
)

// restoreAgain is before the next attempt to write what could not be written.
const restoreAgain = time.Second

// restore has written into the stream what it lacks.
func (p *Presence) restore(kept map[key]entry) {
	if len(kept) == 0 {
		return
	}
	p.log.Info("The bus has lost the presence of agents; this replica writes it again", "agents", len(kept))
	select {
	case p.lost <- struct{}{}:
	default:
	}
}

// restores writes what the stream lacks, until the context ends.
func (p *Presence) restores(ctx context.Context) error {
	for {
		select {
		case <-p.lost:
		case <-ctx.Done():
			return ctx.Err()
		}
		for p.writeLost(ctx) != nil {
			select {
			case <-time.After(restoreAgain):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// writeLost writes each lost presence, unless another replica has written that agent's meanwhile. After an
// error all that is still lost is to be tried again.
func (p *Presence) writeLost(ctx context.Context) error {
	for k, e := range p.unwritten() {
		value, err := json.Marshal(&e.agent)
		if err == nil {
			_, err = p.bus.WriteAgent(ctx, k.contactCenter, k.id, value, e.revision)
		}
		if err != nil && !errors.Is(err, bus.ErrChanged) {
			p.log.Debug("The presence of an agent is not restored yet", "error", err)
			return err
		}
	}
	return nil
}

func (p *Presence) unwritten() map[key]entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost := map[key]entry{}
	for k, e := range p.agents {
		if e.isUnwritten {
			lost[k] = e
		}
	}
	return lost
}
