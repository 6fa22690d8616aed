package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// File holds what was counted, from this package's folder on. The end-to-end
// test TestCost_FlowsMakeTheCountedTransactions writes it and
// holds the program to it.
const File = "counts.json"

//go:embed counts.json
var counted []byte

// Counts are transactions.
type Counts struct {
	// ARM are calls of Azure Resource Manager.
	ARM int `json:"arm"`
	// Bus are operations of Service Bus: a message sent, received or completed.
	Bus int `json:"bus"`
	// Table are requests to Table Storage; a batch is one.
	Table int `json:"table"`
	// Runs are executions of functions.
	Runs int `json:"runs"`
}

// Plus adds n times other.
func (c Counts) Plus(n int, other Counts) Counts {
	return Counts{c.ARM + n*other.ARM, c.Bus + n*other.Bus, c.Table + n*other.Table, c.Runs + n*other.Runs}
}

// GigabyteSeconds is the most that the executions are charged for as long as
// each is done within LeastSeconds.
func (c Counts) GigabyteSeconds() float64 { return float64(c.Runs) * LeastSeconds * InstanceGigabytes }

// Part is something that was counted.
type Part struct {
	Name string `json:"name"`
	What string `json:"what"`
	Counts
}

// Counted is all that was counted.
type Counted struct {
	// Flows are whole operations without their re-checks.
	Flows []Part `json:"flows"`
	// Recheck is one look at something that Azure has not finished.
	Recheck Counts `json:"recheck"`
	// More are what an operation or its caller may do besides.
	More []Part `json:"more"`
	// Timers are one execution each, with nothing to do.
	Timers []Part `json:"timers"`
}

// Read gives what was counted.
func Read() (Counted, error) {
	var c Counted
	if err := json.Unmarshal(counted, &c); err != nil {
		return c, fmt.Errorf("read %s: %w", File, err)
	}
	return c, nil
}
