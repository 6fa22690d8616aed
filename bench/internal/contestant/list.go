package contestant

import "context"

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
	// Once reports whether it is run only once, which keeps a run short. These are
	// peers with their defaults; their tuned variants are faster.
	Once bool

	open func(context.Context, environment) (runner, error)
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

// inWAL makes the commits of sqlite cheaper: a crash of the system can lose a
// commit, a crash of the process cannot. go-workflows appends parameters to the
// file name, which is why its value ends with a dummy parameter.
const inWAL = "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"

// All returns the contestants in the order of the report.
func All() []Contestant {
	return []Contestant{
		{
			Name: "azbackupflow", Title: "azbackupflow", Engine: "azbackupflow", Kind: Durable, Azure: true, Ours: true,
			Settings: "as deployed: 16 concurrent calls (host.json), operations that fall due at the same moment spread over slots of 4 ms; Azurite with a data folder, the AMQP broker",
			open:     openDeployed,
		},
		{
			Name: "durabletask-file", Title: "durabletask-go, file", Engine: "durabletask-go", Kind: Durable, Once: true,
			Settings: "defaults: one orchestration and one activity at a time; sqlite file with its default journal",
			open:     openDurableTask("hub.sqlite", "", 1),
		},
		{
			Name: "durabletask-file-tuned", Title: "durabletask-go, file, tuned", Engine: "durabletask-go", Kind: Durable,
			Settings: "16 concurrent orchestrations and 16 concurrent activities; sqlite file with journal_mode=WAL, synchronous=NORMAL",
			open:     openDurableTask("hub.sqlite", inWAL, concurrency),
		},
		{
			Name: "go-workflows-file", Title: "go-workflows, file", Engine: "go-workflows", Kind: Durable, Once: true,
			Settings: "defaults: 2 + 2 pollers that poll every 200 ms, executor cache of 128; sqlite file",
			open:     openGoWorkflows("workflows.sqlite", "", false),
		},
		{
			Name: "go-workflows-file-tuned", Title: "go-workflows, file, tuned", Engine: "go-workflows", Kind: Durable,
			Settings: "its monoprocess backend (channels wake the workers), polls every 10 ms, executor cache of 4,096 for 10 min; sqlite file with journal_mode=WAL, synchronous=NORMAL",
			open:     openGoWorkflows("workflows.sqlite", inWAL+"&_rest=", true),
		},
		{
			Name: "azbackupflow-memory", Title: "azbackupflow, in memory", Engine: "azbackupflow", Kind: Memory, Ours: true,
			Settings: "as deployed, with state and queue in memory",
			open:     openMemory,
		},
		{
			Name: "durabletask-memory", Title: "durabletask-go, in memory", Engine: "durabletask-go", Kind: Memory,
			Settings: "16 concurrent orchestrations and 16 concurrent activities; sqlite in memory",
			open:     openDurableTask("", "", concurrency),
		},
		{
			Name: "go-workflows-memory", Title: "go-workflows, in memory", Engine: "go-workflows", Kind: Memory,
			Settings: "its monoprocess backend, polls every 10 ms, executor cache of 4,096 for 10 min; sqlite in memory",
			open:     openGoWorkflows("", "", true),
		},
		{
			Name: "azcore", Title: "azcore PollUntilDone", Engine: "azcore", Kind: Plain,
			Settings: "one goroutine per operation; Frequency 1 s (the minimum), used if ARM returns no Retry-After",
			open:     openAzcore,
		},
	}
}

// Find returns the contestant with the given name.
func Find(name string) (Contestant, bool) { return find(name) }

func find(name string) (Contestant, bool) {
	for _, c := range All() {
		if c.Name == name {
			return c, true
		}
	}
	return Contestant{}, false
}
