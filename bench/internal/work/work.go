// Package work says what every contestant of the benchmark has to do, and what
// is measured while it does so. Its types are the wire between the program that
// measures and the child process of the contestant, and the form in which raw
// figures are kept.
package work

import "time"

// Scenario is one kind of load.
type Scenario struct {
	Name string `json:"name"`
	// Operations are started evenly over Spread.
	Operations int           `json:"operations"`
	Spread     time.Duration `json:"spread"`
	// RetryAfter is what the fake ARM asks for in every answer but the last.
	RetryAfter time.Duration `json:"retryAfter"`
	// Polls is how many polls a client that comes exactly on Retry-After
	// makes of one operation; the last of them is told the end.
	Polls int `json:"polls"`
	// ByCount ends an operation with its Polls-th poll, however late it comes;
	// otherwise it ends when Polls times RetryAfter have passed.
	ByCount bool `json:"byCount"`
}

// Duration is how long an operation takes in Azure.
func (s Scenario) Duration() time.Duration { return time.Duration(s.Polls) * s.RetryAfter }

// Calls is how many ARM calls one operation may cost: its polls, and two more
// for its start and its result.
func (s Scenario) Calls() int { return s.Polls + 2 }

// Job is what a contestant's process is told on its standard input.
type Job struct {
	Contestant string   `json:"contestant"`
	Scenario   Scenario `json:"scenario"`
	// Endpoint is the fake ARM's.
	Endpoint string `json:"endpoint"`
	// Tables and Bus are connection strings, for the contestants that use them.
	Tables string `json:"tables,omitempty"`
	Bus    string `json:"bus,omitempty"`
	// Dir is an empty folder, for the contestants that keep a file.
	Dir string `json:"dir"`
	// Limit is how long the work may take before it is given up.
	Limit time.Duration `json:"limit"`
}

// WarmUp is the operation that every contestant carries to its end before
// anything is measured; it ends with its first poll.
const WarmUp = "warm-up"

// Usage is what a contestant's process tells about itself on its standard
// output.
type Usage struct {
	// CPU is what the process used from the first start to the last end.
	User   time.Duration `json:"user"`
	System time.Duration `json:"system"`
	Wall   time.Duration `json:"wall"`
	// RSSBefore is the resident memory before the first start, RSSPeak the
	// highest ever, in bytes.
	RSSBefore int64 `json:"rssBefore"`
	RSSPeak   int64 `json:"rssPeak"`
	// Cost is of the contestants that use Table Storage and Service Bus.
	Cost *Cost `json:"cost,omitempty"`
}

// Cost is what azbackupflow asked of Table Storage and Service Bus.
type Cost struct {
	// Start is of accepting an operation and of its first step, Poll of one
	// poll that found the operation running, Last of the poll that found its
	// end.
	Accept Requests `json:"accept"`
	Start  Requests `json:"start"`
	Poll   Requests `json:"poll"`
	Last   Requests `json:"last"`
}

// Requests are counted over a number of invocations.
type Requests struct {
	Invocations int `json:"invocations"`
	TableReads  int `json:"tableReads"`
	TableWrites int `json:"tableWrites"`
	Sends       int `json:"sends"`
	// MostTable and MostSends are the highest numbers of one invocation, reads
	// and writes together.
	MostTable int `json:"mostTable"`
	MostSends int `json:"mostSends"`
}

// Result is one run of one contestant.
type Result struct {
	Contestant string   `json:"contestant"`
	Scenario   Scenario `json:"scenario"`
	Repeat     int      `json:"repeat"`
	// Failure is why the run has no figures.
	Failure string `json:"failure,omitempty"`
	Usage   Usage  `json:"usage"`
	// Start is the time from the start of the process to its first ARM call.
	Start time.Duration `json:"start"`
	// Services is the CPU that the broker and the table service used
	// meanwhile, the fake ARM included.
	Services time.Duration `json:"services"`
	ARM      ARM           `json:"arm"`
}

// ARM is what the fake ARM saw of the operations, the warm-up left out.
type ARM struct {
	Starts int `json:"starts"`
	// Twice counts starts of an operation that had been started.
	Twice int `json:"twice"`
	Polls int `json:"polls"`
	Reads int `json:"reads"`
	// Early counts polls that came before Retry-After had passed.
	Early int `json:"early"`
	// Most is the highest number of calls for one operation.
	Most  int `json:"most"`
	Ended int `json:"ended"`
	// Span is the time from the first call to the last.
	Span time.Duration `json:"span"`
	// Lateness is, for each operation in ascending order, how long after its
	// end the contestant asked and was told, in milliseconds. A client that
	// comes exactly on Retry-After has 0.
	Lateness []float64 `json:"lateness"`
}

// Calls is how many calls ARM got.
func (a ARM) Calls() int { return a.Starts + a.Polls + a.Reads }

// Run is all results of one run of the benchmark, and where it was made.
type Run struct {
	Machine Machine   `json:"machine"`
	Began   time.Time `json:"began"`
	Took    string    `json:"took"`
	// Commit is what was measured.
	Commit string `json:"commit"`
	// Versions are the engines', by the names that contestants give them.
	Versions map[string]string `json:"versions"`
	Results  []Result          `json:"results"`
}

// Machine is where a run was made.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Go    string `json:"go"`
	// Load is the load average before the run: above one, others were at work
	// too.
	Load string `json:"load"`
}
