// Package work defines the work of the benchmark's contestants and the figures that
// are measured. Its types are exchanged between the measuring program and the
// contestant's process, and stored as raw figures.
package work

import "time"

// Scenario describes a load.
type Scenario struct {
	Name string `json:"name"`
	// Operations are started evenly over Spread.
	Operations int           `json:"operations"`
	Spread     time.Duration `json:"spread"`
	// RetryAfter is the Retry-After of every answer of the fake ARM except the last.
	RetryAfter time.Duration `json:"retryAfter"`
	// Polls is the number of polls per operation by a client that polls exactly
	// after Retry-After; the last one finds the end.
	Polls int `json:"polls"`
	// ByCount ends an operation with its Polls-th poll, however late that is.
	// Otherwise an operation ends after Polls times RetryAfter.
	ByCount bool `json:"byCount"`
	// Sequential is the number of steps of an operation that do nothing and call
	// nothing, one after the other. The fields above except Name and Operations are
	// then zero. Only azbackupflow runs such a scenario.
	Sequential int `json:"sequential,omitempty"`
}

// Duration returns the duration of an operation in Azure.
func (s Scenario) Duration() time.Duration { return time.Duration(s.Polls) * s.RetryAfter }

// Calls returns the maximum number of ARM calls per operation: its polls, and two
// more for its start and its result.
func (s Scenario) Calls() int { return s.Polls + 2 }

// Job is the input of a contestant's process, sent on its standard input.
type Job struct {
	Contestant string   `json:"contestant"`
	Scenario   Scenario `json:"scenario"`
	// Endpoint is the URL of the fake ARM.
	Endpoint string `json:"endpoint"`
	// Tables and Bus are connection strings, for the contestants that use them.
	Tables string `json:"tables,omitempty"`
	Bus    string `json:"bus,omitempty"`
	// Dir is an empty folder, for the contestants that store a file.
	Dir string `json:"dir"`
	// Limit is the maximum time of the work.
	Limit time.Duration `json:"limit"`
	// Profile is the folder to write profiles of CPU and memory to, if any.
	Profile string `json:"profile,omitempty"`
}

// WarmUp is the ID of the operation that every contestant finishes before the
// measurement begins. It ends with its first poll.
const WarmUp = "warm-up"

// Usage holds the resources that a contestant's process used. The process writes it
// to its standard output.
type Usage struct {
	// User and System are the CPU time from the first start to the last end.
	User   time.Duration `json:"user"`
	System time.Duration `json:"system"`
	Wall   time.Duration `json:"wall"`
	// Ended is the number of operations that ended.
	Ended int `json:"ended"`
	// RSSBefore is the resident memory before the first start, RSSPeak the
	// maximum since the process started, in bytes.
	RSSBefore int64 `json:"rssBefore"`
	RSSPeak   int64 `json:"rssPeak"`
	// Cost is set for the contestants that use Table Storage and Service Bus.
	Cost *Cost `json:"cost,omitempty"`
}

// Cost holds the requests of azbackupflow to Table Storage and Service Bus.
type Cost struct {
	// Accept counts the requests for accepting an operation, Start for its first
	// step, Poll for polls that found the operation running, Last for polls that
	// found its end.
	Accept Requests `json:"accept"`
	Start  Requests `json:"start"`
	Poll   Requests `json:"poll"`
	Last   Requests `json:"last"`
}

// Requests holds the requests of a number of invocations.
type Requests struct {
	Invocations int `json:"invocations"`
	TableReads  int `json:"tableReads"`
	TableWrites int `json:"tableWrites"`
	Sends       int `json:"sends"`
	// MaxTable and MaxSends are the maximums per invocation; MaxTable counts reads
	// and writes.
	MaxTable int `json:"maxTable"`
	MaxSends int `json:"maxSends"`
}

// Result holds the figures of one run of one contestant.
type Result struct {
	Contestant string   `json:"contestant"`
	Scenario   Scenario `json:"scenario"`
	Repeat     int      `json:"repeat"`
	// Failure is the reason why the run is not complete.
	Failure string `json:"failure,omitempty"`
	Usage   Usage  `json:"usage"`
	// Start is the time from the start of the process to its first ARM call.
	Start time.Duration `json:"start"`
	// Services is the CPU time that the broker, the table service and the fake ARM
	// used during the run.
	Services time.Duration `json:"services"`
	ARM      ARM           `json:"arm"`
}

// ARM holds the figures that the fake ARM measures, without the warm-up.
type ARM struct {
	Starts int `json:"starts"`
	// DuplicateStarts counts starts of operations that had been started before.
	DuplicateStarts int `json:"duplicateStarts"`
	Polls           int `json:"polls"`
	Reads           int `json:"reads"`
	// Early counts polls before Retry-After had passed.
	Early int `json:"early"`
	// MaxCalls is the maximum number of calls per operation.
	MaxCalls int `json:"maxCalls"`
	Ended    int `json:"ended"`
	// Span is the time from the first call to the last.
	Span time.Duration `json:"span"`
	// Lateness holds for each operation the time from its end to the poll that
	// found it, in milliseconds and ascending order. A client that polls exactly
	// after Retry-After has 0.
	Lateness []float64 `json:"lateness"`
}

// Calls returns the number of calls to ARM.
func (a ARM) Calls() int { return a.Starts + a.Polls + a.Reads }

// Run holds all results of one run of the benchmark, and describes the machine.
type Run struct {
	Machine Machine   `json:"machine"`
	Began   time.Time `json:"began"`
	Took    string    `json:"took"`
	// Commit is the commit of the measured code.
	Commit string `json:"commit"`
	// Versions holds the version of each engine by its name.
	Versions map[string]string `json:"versions"`
	Results  []Result          `json:"results"`
	Growth   []Growth          `json:"growth,omitempty"`
	Startup  *Startup          `json:"startup,omitempty"`
}

// Startup holds the starts of the packaged program, and the size of the package.
type Startup struct {
	// Took holds the times from the start of the process to its first answer, in
	// ascending order.
	Took []time.Duration `json:"took"`
	// ProgramBytes is the size of the program, ArchiveBytes that of the archive that
	// is deployed.
	ProgramBytes int64 `json:"programBytes"`
	ArchiveBytes int64 `json:"archiveBytes"`
}

// Growth holds what azbackupflow's program spends with a number of live and of ended
// operations in a store.
type Growth struct {
	// Store is memory or Azurite.
	Store string `json:"store"`
	Live  int    `json:"live"`
	Ended int    `json:"ended"`
	// Sweep is per live operation, List per page of 50, Start and Poll per
	// operation.
	Sweep Spent `json:"sweep"`
	List  Spent `json:"list"`
	Start Spent `json:"start"`
	Poll  Spent `json:"poll"`
}

// Spent holds the CPU time of the program and the requests to the table service.
type Spent struct {
	CPU      time.Duration `json:"cpu"`
	Requests float64       `json:"requests"`
}

// Machine describes the machine of a run.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Go    string `json:"go"`
	// Load is the load average before the run.
	Load string `json:"load"`
}
