package flow

import (
	"context"
	"errors"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/step"
)

// definitions lists every version of every flow. A new flow is one line here and
// one file.
func (a azure) definitions() []Definition {
	return []Definition{
		a.protectFileShare(),
		a.backupNow(),
		a.protectPostgres(),
		a.protectMySQL(),
		a.protectDisk(),
		a.protectBlobs(),
		a.protectCluster(),
		a.restorePostgres(),
		a.restoreFileShare(),
		a.protectVM(),
		a.restoreVM(),
		a.protectDatabase(),
		a.restoreDatabase(),
		a.unregisterContainer(),
		a.restoreMySQL(),
		a.restoreDisk(),
		a.restoreBlobs(),
		a.restoreCluster(),
		a.stopProtection(),
		a.suspendProtection(),
		a.resumeProtection(),
		a.changePolicy(),
		a.deleteProtection(),
		a.undelete(),
		a.trackJob(),
		a.drillRestore(),
	}
}

// Config holds what the flows call and what they may do.
type Config struct {
	// ARM calls Azure Resource Manager. Without it flows can check parameters,
	// but not run.
	ARM *arm.Client
	// Now rejects times in the past.
	Now func() time.Time
	// ClockSkew is the maximum error of the comparison between Azure's clock and
	// ours; zero means DefaultClockSkew. A job that started less than this before
	// a request may belong to any request.
	ClockSkew time.Duration
	// Guardrails hold what an operator allows: deletions and restore targets.
	Guardrails Guardrails
	// Jobs lets operations that wait for jobs of one vault share one list; nil
	// reads each job alone.
	Jobs *jobcache.Cache
	// Exclude keeps automatic protection away from a resource; nil does nothing.
	Exclude func(context.Context, Exclusion) error
	// Excluded returns the exclusion of a resource, and whether there is one; nil
	// finds none.
	Excluded func(ctx context.Context, resourceID string) (x Exclusion, found bool, err error)
	// Evidence signs and stores the evidence of a restore drill, and returns where it
	// is. keep is how long it is kept. The first document of an ID is kept: a call with
	// the same ID again changes nothing. Without it, no drill starts.
	Evidence func(ctx context.Context, e evidence.Evidence, keep time.Duration) (location string, err error)
	// Include ends the exclusion; nil does nothing.
	Include func(ctx context.Context, resourceID string) error
}

// Exclusion is a resource whose protection an operator ended on purpose: a
// datasource, or a protected item.
type Exclusion struct {
	ResourceID, OperationID string
	At                      time.Time
	// PolicyID is the policy that the item had; empty if that is unknown.
	PolicyID string
	// PolicyAt is when the item was seen to have the policy; zero means At.
	PolicyAt time.Time
}

// DefaultClockSkew is the maximum clock error that remains after the comparison
// with Azure's Date header: another instance may have made the claim.
const DefaultClockSkew = 30 * time.Second

// azure holds what the steps call. Steps reach Azure only through a client that
// is bound to the step's call: client, recoveryServices and dataProtection.
type azure struct {
	Config // without ARM
	// unbound is Config.ARM.
	unbound binder
	// kinds is the table of datasources.
	kinds []kinds.Kind
}

// binder is the part of *arm.Client that needs no step.
type binder interface {
	With(arm.CallOptions) *arm.Client
	AzureTime(ours time.Time) time.Time
}

// New returns a registry of every version of every flow.
func New(cfg Config) (*Registry, error) {
	definitions, err := Definitions(cfg)
	if err != nil {
		return nil, err
	}
	return RegistryOf(definitions)
}

// Definitions returns the declarations of every version of every flow.
func Definitions(cfg Config) ([]Definition, error) {
	a, err := newAzure(cfg)
	if err != nil {
		return nil, err
	}
	return cfg.Guardrails.markGuarded(a.definitions())
}

func newAzure(cfg Config) (azure, error) {
	if cfg.Now == nil {
		return azure{}, errors.New("flows: Config.Now is missing; pass a clock such as time.Now")
	}
	if cfg.ClockSkew == 0 {
		cfg.ClockSkew = DefaultClockSkew
	}
	if cfg.Exclude == nil {
		cfg.Exclude = func(context.Context, Exclusion) error { return nil }
	}
	if cfg.Excluded == nil {
		cfg.Excluded = func(context.Context, string) (Exclusion, bool, error) { return Exclusion{}, false, nil }
	}
	if cfg.Include == nil {
		cfg.Include = func(context.Context, string) error { return nil }
	}
	a := azure{Config: cfg, unbound: cfg.ARM, kinds: kinds.All()}
	a.ARM = nil
	return a, nil
}

// client returns a client whose calls have the step's priority and recorder. In
// a dry run it is read-only.
func (a azure) client(c step.Call) *arm.Client { return a.recordingClient(c, c.Recorder.Record) }

// recordingClient is client with another recorder.
func (a azure) recordingClient(c step.Call, record func(operation.Exchange)) *arm.Client {
	return a.unbound.With(arm.CallOptions{
		Caller: ratelimit.Caller{Priority: c.Priority, Reservation: c.Operation.Reservation},
		Record: record, DryRun: c.DryRun,
	})
}

// recoveryServices returns a bound client; see client.
func (a azure) recoveryServices(c step.Call) *recoveryservices.Client {
	return recoveryservices.New(a.client(c))
}

// dataProtection returns a bound client; see client. Once an operation knows the
// type of its datasource, its calls have the api-version of that type.
func (a azure) dataProtection(c step.Call) *dataprotection.Client {
	client := dataprotection.New(a.client(c))
	if kind, ok := a.kind(c.Operation.Learned[learnedDatasourceType]); ok {
		return client.At(kind.APIVersion)
	}
	return client
}

// kind returns the entry of a type of datasource in the table.
func (a azure) kind(datasourceType string) (kinds.Kind, bool) {
	return kinds.Find(a.kinds, datasourceType)
}

// entries returns the entries of types of datasources in the table.
func (a azure) entries(types ...string) (all []kinds.Kind) {
	for _, t := range types {
		if entry, ok := a.kind(t); ok {
			all = append(all, entry)
		}
	}
	return all
}
