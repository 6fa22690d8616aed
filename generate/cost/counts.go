package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// File is the file of the counts in the folder of this package. The end-to-end
// test TestCost_FlowsMakeTheCountedTransactions writes it, and fails if the
// program makes other counts.
const File = "counts.json"

//go:embed counts.json
var counted []byte

// Counts are numbers of transactions.
type Counts struct {
	// ARM counts calls of Azure Resource Manager.
	ARM int `json:"arm"`
	// Bus counts operations of Service Bus: messages sent, received or completed.
	Bus int `json:"bus"`
	// Table counts requests to Table Storage; a batch is one.
	Table int `json:"table"`
	// Runs counts executions of functions.
	Runs int `json:"runs"`
	// Lines counts the log lines that the host sends to Application Insights, and
	// Bytes the bytes of their texts.
	Lines int `json:"lines"`
	Bytes int `json:"bytes"`
}

// Plus returns the counts plus n times other.
func (c Counts) Plus(n int, other Counts) Counts {
	return Counts{
		c.ARM + n*other.ARM, c.Bus + n*other.Bus, c.Table + n*other.Table, c.Runs + n*other.Runs,
		c.Lines + n*other.Lines, c.Bytes + n*other.Bytes,
	}
}

// GigabyteSeconds returns the maximum charge for the executions on instances of a
// size in GB, if each ends within MinSeconds.
func (c Counts) GigabyteSeconds(size float64) float64 { return float64(c.Runs) * MinSeconds * size }

// TelemetryBytes estimates what Application Insights ingests: a record for each log
// line and for each execution.
func (c Counts) TelemetryBytes() int { return c.Bytes + (c.Lines+c.Runs)*RecordBytes }

// Part holds the counts of one action.
type Part struct {
	Name string `json:"name"`
	What string `json:"what"`
	Counts
}

// Counted holds all counts.
type Counted struct {
	// Flows are whole operations without their re-checks.
	Flows []Part `json:"flows"`
	// Recheck is one poll of work that Azure has not finished.
	Recheck Counts `json:"recheck"`
	// More are further actions of an operation or its caller.
	More []Part `json:"more"`
	// Timers are single executions of the timers without work.
	Timers []Part `json:"timers"`
}

// Read returns the counts.
func Read() (Counted, error) {
	var c Counted
	if err := json.Unmarshal(counted, &c); err != nil {
		return c, fmt.Errorf("read %s: %w", File, err)
	}
	return c, nil
}
