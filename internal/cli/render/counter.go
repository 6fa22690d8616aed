package render

import (
	"slices"

	"azbackupflow/internal/api"
)

// Counter counts the steps and ARM calls of an operation by its events.
type Counter struct {
	// Calls is the number of ARM calls.
	Calls int
	// step is the step of the previous event.
	step string
	ran  map[string]bool
}

// Count counts one event.
func (c *Counter) Count(ev api.Event) {
	c.Calls += len(ev.Exchanges)
	if c.step != "" { // the first event is the acceptance of the request
		if c.ran == nil {
			c.ran = map[string]bool{}
		}
		c.ran[ev.Step] = true
	}
	c.step = ev.Step
}

// Steps returns the number of different steps that ran.
func (c *Counter) Steps() int { return len(c.ran) }

// Most returns the highest number that a step of this run may have: that of the
// current step, and one for each later step of the flow that has not run. Flows
// skip steps that they do not need, so it only sinks. 0 means that the current step
// is not among the steps of the flow.
func (c *Counter) Most(current string, flow []string) int {
	at := slices.Index(flow, current)
	if at < 0 {
		return 0
	}
	n := c.Number(current)
	for _, later := range flow[at+1:] {
		if !c.ran[later] {
			n++
		}
	}
	return n
}

// Number returns the number of a step among those that ran.
func (c *Counter) Number(step string) int {
	if c.ran[step] {
		return len(c.ran)
	}
	return len(c.ran) + 1
}
