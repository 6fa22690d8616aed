package step

import (
	"encoding/json"
	"slices"
	"sync"

	"azbackupflow/internal/operation"
)

// Recorder collects the exchanges of a step's calls, in the order of their
// answers. A nil Recorder discards them. It is safe for concurrent use.
type Recorder struct {
	mu        sync.Mutex
	exchanges []operation.Exchange
}

// Record adds an exchange.
func (r *Recorder) Record(x operation.Exchange) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exchanges = append(r.exchanges, x)
}

// Exchanges returns the exchanges.
func (r *Recorder) Exchanges() []operation.Exchange {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.exchanges)
}

// Unsent is a call that a dry run did not send, because it would have changed
// something.
type Unsent struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Query  string          `json:"query,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// DryRun collects the calls that a dry run does not send. It is safe for
// concurrent use.
type DryRun struct {
	mu    sync.Mutex
	calls []Unsent
}

// Add adds a call.
func (d *DryRun) Add(c Unsent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, c)
}

// Calls returns the calls, in their order.
func (d *DryRun) Calls() []Unsent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}
