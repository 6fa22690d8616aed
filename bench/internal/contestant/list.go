// Package contestant lists the engines that the benchmark compares, with their
// settings.
package contestant

// Contestant is an engine with certain settings.
type Contestant struct {
	// Name is the name for the option -contestants, Title the one on the page.
	Name, Title string
	// Engine is the name without the settings.
	Engine string
	// Settings describes the differences from the engine's defaults.
	Settings string
	// Kind determines which contestants it is comparable with.
	Kind Kind
	// Azure reports whether it needs a table service and a bus.
	Azure bool
	// Ours reports whether it is azbackupflow.
	Ours bool
	// Once reports whether it is run only once, which keeps a run short: peers with
	// their defaults, whose tuned variants are faster, and others that no target
	// depends on closely.
	Once bool
	// Program is the folder of its program, below bench/engines.
	Program string
	// Processors is the GOMAXPROCS of its process, 0 for that of Go.
	Processors int
}

// Kind describes what a contestant keeps when its process dies.
type Kind string

// The kinds.
const (
	// Durable contestants store every operation in a file or in a service.
	Durable Kind = "durable"
	// Memory contestants run the same engine but lose everything with the process.
	Memory Kind = "in memory"
	// Plain contestants have no engine: a goroutine waits.
	Plain Kind = "not durable"
)

// All returns the contestants in the order of the report.
func All() []Contestant { return append(durable(), others()...) }

func durable() []Contestant {
	return []Contestant{
		{
			Name: "azbackupflow", Title: "azbackupflow", Engine: "azbackupflow", Program: "azbackupflow", Kind: Durable, Azure: true, Ours: true, Processors: 1,
			Settings: "as deployed: 16 concurrent calls (host.json), one processor (infra/, for instances of up to 2,048 MB), operations that fall due at the same moment spread over slots of 4 ms; Azurite with a data folder, the AMQP broker",
		},
		{
			Name: "durabletask-file", Title: "durabletask-go, file", Engine: "durabletask-go", Program: "durabletask", Kind: Durable, Once: true,
			Settings: "defaults: one orchestration and one activity at a time; sqlite file with its default journal",
		},
		{
			Name: "durabletask-file-tuned", Title: "durabletask-go, file, tuned", Engine: "durabletask-go", Program: "durabletask", Kind: Durable, Processors: 1,
			Settings: "one processor; 16 concurrent orchestrations and 16 concurrent activities; sqlite file with journal_mode=WAL, synchronous=NORMAL",
		},
		{
			Name: "go-workflows-file", Title: "go-workflows, file", Engine: "go-workflows", Program: "goworkflows", Kind: Durable, Once: true,
			Settings: "defaults: 2 + 2 pollers that poll every 200 ms, executor cache of 128; sqlite file",
		},
		{
			Name: "go-workflows-file-tuned", Title: "go-workflows, file, tuned", Engine: "go-workflows", Program: "goworkflows", Kind: Durable, Processors: 1,
			Settings: "one processor; its monoprocess backend (channels wake the workers), polls every 10 ms, executor cache of 4,096 for 10 min; sqlite file with journal_mode=WAL, synchronous=NORMAL",
		},
		{
			Name: "dbos-file", Title: "DBOS Transact, file", Engine: "DBOS Transact", Program: "dbos", Kind: Durable, Once: true,
			Settings: "defaults: a workflow per goroutine; sqlite file that DBOS opens itself",
		},
		{
			Name: "dbos-file-tuned", Title: "DBOS Transact, file, tuned", Engine: "DBOS Transact", Program: "dbos", Kind: Durable, Processors: 1,
			Settings: "one processor; a workflow per goroutine; sqlite file with journal_mode=WAL, synchronous=NORMAL and one connection",
		},
		{
			Name: "river-file", Title: "River, file", Engine: "River", Program: "river", Kind: Durable, Once: true,
			Settings: "defaults: fetches at most every 100 ms, polls every second, a job that snoozes until its next poll; 16 workers; sqlite file with one connection, as its documentation recommends",
		},
		{
			Name: "river-file-tuned", Title: "River, file, tuned", Engine: "River", Program: "river", Kind: Durable, Processors: 1,
			Settings: "one processor; fetches at most every 5 ms, polls every 20 ms; 16 workers; sqlite file with journal_mode=WAL, synchronous=NORMAL and one connection. Jobs that snooze longer than 5 s are made available every 5 s, which cannot be changed",
		},
		{
			Name: "restate", Title: "Restate", Engine: "Restate", Program: "restate", Kind: Durable, Once: true,
			Settings: "server 1.7.12 on this machine, whose CPU and memory count as the engine's; defaults: one node with 24 partitions and a replicated log, 2 GiB for caches; RocksDB in a folder, which it flushes with each commit",
		},
		{
			Name: "restate-tuned", Title: "Restate, tuned", Engine: "Restate", Program: "restate", Kind: Durable, Processors: 1,
			Settings: "server 1.7.12 on this machine, whose CPU and memory count as the engine's; one processor for the program with the steps; 2 partitions, a local log, 128 MiB for caches, invocations suspended after 500 ms of waiting; RocksDB in a folder, without a flush for each commit, as the tuned sqlite files",
		},
	}
}

func others() []Contestant {
	return []Contestant{
		{
			Name: "azbackupflow-memory", Title: "azbackupflow, in memory", Engine: "azbackupflow", Program: "azbackupflow", Kind: Memory, Processors: 1, Ours: true,
			Settings: "one processor; 16 concurrent calls, with state and queue in memory",
		},
		{
			Name: "durabletask-memory", Title: "durabletask-go, in memory", Engine: "durabletask-go", Program: "durabletask", Kind: Memory, Processors: 1,
			Settings: "one processor; 16 concurrent orchestrations and 16 concurrent activities; sqlite in memory",
		},
		{
			Name: "go-workflows-memory", Title: "go-workflows, in memory", Engine: "go-workflows", Program: "goworkflows", Kind: Memory, Processors: 1, Once: true,
			Settings: "one processor; its monoprocess backend, polls every 10 ms, executor cache of 4,096 for 10 min; sqlite in memory",
		},
		{
			Name: "azcore", Title: "azcore PollUntilDone", Engine: "azcore", Program: "azcore", Kind: Plain, Processors: 1, Once: true,
			Settings: "one processor; one goroutine per operation; Frequency 1 s (the minimum), used if ARM returns no Retry-After",
		},
	}
}

// Find returns the contestant with the given name.
func Find(name string) (Contestant, bool) {
	for _, c := range All() {
		if c.Name == name {
			return c, true
		}
	}
	return Contestant{}, false
}
