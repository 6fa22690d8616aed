package render

import "azbackupflow/internal/api"

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

// Number returns the number of a step among those that ran.
func (c *Counter) Number(step string) int {
	if c.ran[step] {
		return len(c.ran)
	}
	return len(c.ran) + 1
}
