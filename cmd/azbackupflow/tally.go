package main

import "azbackupflow/internal/api"

// tally counts what an operation took, by its events.
type tally struct {
	// calls counts the requests to ARM.
	calls int
	// at is the step that the operation was at before the next event, ran those
	// that it has been through.
	at  string
	ran map[string]bool
}

func (t *tally) count(ev api.Event) {
	t.calls += len(ev.Exchanges)
	if t.at != "" { // an event names the step that comes next
		if t.ran == nil {
			t.ran = map[string]bool{}
		}
		t.ran[t.at] = true
	}
	t.at = ev.Step
}

// steps is how many different steps the operation has been through.
func (t *tally) steps() int { return len(t.ran) }
