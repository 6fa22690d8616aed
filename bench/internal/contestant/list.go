package contestant

import "context"

// Contestant is one engine with one choice of settings.
type Contestant struct {
	// Name is what -contestants takes, Title what a person reads.
	Name, Title string
	// Engine is the name without the settings.
	Engine string
	// Settings are what differs from the engine's defaults.
	Settings string
	// Kind says what it may be compared with.
	Kind Kind
	// Azure: it needs a table service and a bus.
	Azure bool
	// Ours: it is azbackupflow.
	Ours bool
	// Once: it is run once and not repeated, which keeps a run short. It is a
	// peer with its defaults, which its tuned variant outdoes.
	Once bool

	open func(context.Context, world) (runner, error)
}

// Kind is how much a contestant keeps when its process dies.
type Kind string

// The kinds.
const (
	// Durable keeps every operation in a store outside the process or a file.
	Durable Kind = "durable"
	// Memory runs the same engine but forgets everything with the process.
	Memory Kind = "in memory"
	// Plain has no engine: a goroutine waits.
	Plain Kind = "not durable"
)

// inWAL makes sqlite's commits cheaper: one that the system's crash may lose,
// but not the process's. go-workflows appends parameters of its own to the file's
// name, hence its dummy at the end.
const inWAL = "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"

// All lists the contestants in the order in which they are reported.
func All() []Contestant {
	return []Contestant{
		{
			Name: "azbackupflow", Title: "azbackupflow", Engine: "azbackupflow", Kind: Durable, Azure: true, Ours: true,
			Settings: "as deployed: 16 calls at once (host.json), jitter of up to 10 % added to each wait; Azurite with a data folder, the AMQP broker",
			open:     openAzure(deployedWaits),
		},
		{
			Name: "azbackupflow-tuned", Title: "azbackupflow, tuned", Engine: "azbackupflow", Kind: Durable, Azure: true, Ours: true,
			Settings: "no jitter; otherwise as deployed",
			open:     openAzure(steadyWaits),
		},
		{
			Name: "durabletask-file", Title: "durabletask-go, file", Engine: "durabletask-go", Kind: Durable, Once: true,
			Settings: "defaults: one orchestration and one activity at once; sqlite file with its default journal",
			open:     openDurableTask("hub.sqlite", "", 1),
		},
		{
			Name: "durabletask-file-tuned", Title: "durabletask-go, file, tuned", Engine: "durabletask-go", Kind: Durable,
			Settings: "16 orchestrations and 16 activities at once; sqlite file with journal_mode=WAL, synchronous=NORMAL",
			open:     openDurableTask("hub.sqlite", inWAL, atOnce),
		},
		{
			Name: "go-workflows-file", Title: "go-workflows, file", Engine: "go-workflows", Kind: Durable, Once: true,
			Settings: "defaults: 2 + 2 pollers, one look each 200 ms, executor cache of 128; sqlite file",
			open:     openGoWorkflows("workflows.sqlite", "", false),
		},
		{
			Name: "go-workflows-file-tuned", Title: "go-workflows, file, tuned", Engine: "go-workflows", Kind: Durable,
			Settings: "its monoprocess backend (workers are woken by channels), one look each 10 ms, executor cache of 4,096 for 10 min; sqlite file with journal_mode=WAL, synchronous=NORMAL",
			open:     openGoWorkflows("workflows.sqlite", inWAL+"&_rest=", true),
		},
		{
			Name: "azbackupflow-memory", Title: "azbackupflow, in memory", Engine: "azbackupflow", Kind: Memory, Ours: true,
			Settings: "as deployed, over the state and the queue in memory",
			open:     openMemory,
		},
		{
			Name: "durabletask-memory", Title: "durabletask-go, in memory", Engine: "durabletask-go", Kind: Memory,
			Settings: "16 orchestrations and 16 activities at once; sqlite in memory",
			open:     openDurableTask("", "", atOnce),
		},
		{
			Name: "go-workflows-memory", Title: "go-workflows, in memory", Engine: "go-workflows", Kind: Memory,
			Settings: "its monoprocess backend, one look each 10 ms, executor cache of 4,096 for 10 min; sqlite in memory",
			open:     openGoWorkflows("", "", true),
		},
		{
			Name: "azcore", Title: "azcore PollUntilDone", Engine: "azcore", Kind: Plain,
			Settings: "one goroutine for each operation; Frequency 1 s, its least, where ARM names no Retry-After",
			open:     openAzcore,
		},
	}
}

// Find gives a contestant by its name.
func Find(name string) (Contestant, bool) { return find(name) }

func find(name string) (Contestant, bool) {
	for _, c := range All() {
		if c.Name == name {
			return c, true
		}
	}
	return Contestant{}, false
}
