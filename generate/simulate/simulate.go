// Package simulate runs the engine, the flows, the budgets and the job lists,
// unchanged, under a clock of their own over an Azure, a table and a bus in
// memory: a night of backups that no machine could be given for real. It is no
// part of the deployed program. It answers what backup-now asks, and nothing
// else; how its Azure behaves is in azure.go. One seed gives one result.
package simulate

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state/memory"

	sharedrows "azbackupflow/internal/state"
)

// Config says what is simulated.
type Config struct {
	Seed                              uint64
	Operations, Subscriptions, Vaults int
	// Instances of the app share the work.
	Instances int
	// Due is the time over which the operations fall due.
	Due time.Duration
	// FaultRate is the share of calls that fail with HTTP 500, FailureRate
	// that of jobs that fail, DuplicateRate that of messages that come twice.
	FaultRate, FailureRate, DuplicateRate float64
}

// Calls are those that count against one quota.
type Calls struct {
	Name          string
	Limit         int
	Made, Refused int
	// Peak is the largest share of the limit that was ever used up.
	Peak float64
	// PutOff is how often a step waited for a place, First when that was first,
	// after the beginning.
	PutOff int
	First  time.Duration
}

// Report is what came of it.
type Report struct {
	Config     Config
	Ends       map[operation.Status]int
	Took       time.Duration
	Calls      []Calls
	ARM        int
	P50, P95   time.Duration // from a job's end until its operation's
	Most       time.Duration
	Steps      int
	Sent       int
	Delivered  int
	TableReads int
	// TableWrites are transactions and single writes.
	TableWrites int
	// Busiest are the most of each in one minute, per second.
	BusiestBus, BusiestTable float64
}

type message = engine.Message

// world is the table, the bus and the clock.
type world struct {
	config Config
	now    time.Time
	rand   *rand.Rand
	rows   map[string]*row
	inbox  inbox
	order  int
	shared *memory.Store
	report Report
	began  time.Time
	putOff map[string]*Calls
	minute map[time.Time][2]int
}

type row struct {
	op      operation.Operation
	version int
}

// Run simulates until every operation has ended.
func Run(ctx context.Context, c Config) (Report, error) {
	r := rand.New(rand.NewPCG(c.Seed, 1)) //nolint:gosec // chance that can be repeated
	w := &world{
		config: c, began: time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC), rand: r, rows: map[string]*row{}, shared: memory.New(),
		putOff: map[string]*Calls{}, minute: map[time.Time][2]int{}, report: Report{Config: c, Ends: map[operation.Status]int{}},
	}
	w.now = w.began
	clock := func() time.Time { return w.now }
	azure := newAzure(c, clock, r)
	var instances []*engine.Engine
	for range max(c.Instances, 1) {
		e, err := w.instance(azure, clock)
		if err != nil {
			return Report{}, err
		}
		instances = append(instances, e)
	}
	due := w.arrivals()
	for n := 0; len(due) > 0 || len(w.inbox) > 0; n++ {
		e := instances[n%len(instances)]
		if len(w.inbox) == 0 || len(due) > 0 && !due[0].at.After(w.inbox[0].due) {
			w.now = later(w.now, due[0].at)
			if _, _, err := e.Start(ctx, due[0].ask, engine.Origin{}); err != nil {
				return Report{}, err
			}
			due = due[1:]
			continue
		}
		next, _ := heap.Pop(&w.inbox).(letter)
		w.now = later(w.now, next.due)
		w.bus(1)
		w.report.Delivered++
		if err := e.RunStep(ctx, operation.Delivery{Wakeup: next.sent.Wakeup, Count: 1}); err != nil {
			return Report{}, err
		}
		w.report.Steps++
	}
	return w.sum(azure), nil
}

func (w *world) instance(azure *azure, clock func() time.Time) (*engine.Engine, error) {
	shelf := func(kind string) sharedrows.Shelf { return sharedrows.Shelf{Rows: w, Kind: kind} }
	ledger := ratelimit.New(ratelimit.Config{Clock: clock, Shelf: shelf("budget")})
	client, err := arm.New(arm.Config{Credential: token{}, Transport: azure, Clock: clock, Budget: ledger})
	if err != nil {
		return nil, err
	}
	flows, err := flow.New(flow.Config{
		ARM: client, Now: clock,
		Jobs: jobcache.New(jobcache.Config{Shelf: shelf("jobs"), Clock: clock, NewID: w.newID, Waits: operation.AzureWaits(), Pace: flow.JobPace(ledger)}),
	})
	if err != nil {
		return nil, err
	}
	return engine.New(engine.Config{
		Store: w, Queue: w, Flows: flows, Waits: operation.AzureWaits(), Now: clock, Jitter: w.rand.Float64, NewID: w.newID,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Budget: ratelimit.ForStep,
	})
}

type arrival struct {
	at  time.Time
	ask request.Request
}

// arrivals are the requests in the order in which they fall due: each
// subscription has its own minute, as schedules have.
func (w *world) arrivals() []arrival {
	var all []arrival
	minutes := make([]time.Duration, w.config.Subscriptions)
	for i := range minutes {
		minutes[i] = time.Duration(w.rand.Int64N(int64(w.config.Due/time.Minute)+1)) * time.Minute
	}
	for n := range w.config.Operations {
		vault := n % w.config.Vaults
		subscription := vault % w.config.Subscriptions
		item := fmt.Sprintf("/subscriptions/%08d-0000-0000-0000-000000000000/resourceGroups/night/providers/Microsoft.RecoveryServices/vaults/vault%d"+
			"/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;night;vm%d/protectedItems/VM;iaasvmcontainerv2;night;vm%d", subscription, vault, n, n)
		raw, _ := json.Marshal(map[string]string{"itemId": item})
		at := w.began.Add(minutes[subscription] + time.Duration(w.rand.Int64N(int64(time.Minute))))
		all = append(all, arrival{at, request.Request{Flow: "backup-now", Key: fmt.Sprint(n), Parameters: raw}})
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	return all
}

func (w *world) sum(azure *azure) Report {
	r := &w.report
	r.Took = w.now.Sub(w.began)
	var delays []time.Duration
	for _, row := range w.rows {
		r.Ends[row.op.Status]++
		if j := azure.jobs[row.op.Learned["jobId"]]; j != nil {
			delays = append(delays, row.op.EndedAt.Sub(j.ends))
		}
	}
	slices.Sort(delays)
	if n := len(delays); n > 0 {
		r.P50, r.P95, r.Most = delays[n/2], delays[n*95/100], delays[n-1]
	}
	for name, c := range azure.calls {
		if strings.HasPrefix(name, "subscription ") {
			r.ARM += c.Made
		}
		if p := w.putOff[name]; p != nil {
			c.PutOff, c.First = p.PutOff, p.First
		}
		r.Calls = append(r.Calls, *c)
	}
	slices.SortFunc(r.Calls, func(a, b Calls) int { return cmp.Compare(a.Name, b.Name) })
	for _, m := range w.minute {
		r.BusiestBus, r.BusiestTable = max(r.BusiestBus, float64(m[0])/60), max(r.BusiestTable, float64(m[1])/60)
	}
	return *r
}

// quotaNames are the names of budgets as operations show them.
func quotaName(what string) string {
	switch what {
	case "read budget":
		return "subscription reads"
	case "write budget":
		return "subscription writes"
	}
	for _, kind := range []string{"backupJobs", "backupOperations", "protectedItems"} {
		if strings.HasPrefix(what, strings.ToLower(kind)) {
			return kind + " of a vault"
		}
	}
	return what
}

func (w *world) bus(n int) {
	at := w.now.Truncate(time.Minute)
	m := w.minute[at]
	m[0] += n
	w.minute[at] = m
}

func (w *world) table(reads, writes int) {
	at := w.now.Truncate(time.Minute)
	m := w.minute[at]
	m[1] += reads + writes
	w.minute[at] = m
	w.report.TableReads += reads
	w.report.TableWrites += writes
}

func (w *world) newID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", w.rand.Uint32(), w.rand.Uint64()>>16)
}

// Send implements engine.Queue.
func (w *world) Send(_ context.Context, m engine.Message) error {
	w.report.Sent++
	w.bus(1)
	copies := 1
	if w.rand.Float64() < w.config.DuplicateRate {
		copies = 2
	}
	for range copies {
		w.order++
		heap.Push(&w.inbox, letter{due: later(m.Due, w.now), order: w.order, sent: m})
	}
	return nil
}

// Create implements engine.Store: marker, transaction, two index entries and
// one for each label, which is what Table Storage is asked for.
func (w *world) Create(_ context.Context, op operation.Operation, _ operation.Event) (engine.Row, bool, error) {
	w.table(0, 4+len(op.Labels))
	if r, ok := w.rows[op.ID]; ok {
		return engine.Row{Operation: r.op, ETag: fmt.Sprint(r.version)}, false, nil
	}
	w.rows[op.ID] = &row{op: op}
	return engine.Row{Operation: op, ETag: "0"}, true, nil
}

// Load implements engine.Store.
func (w *world) Load(_ context.Context, id string) (engine.Row, error) {
	w.table(1, 0)
	r, ok := w.rows[id]
	if !ok {
		return engine.Row{}, engine.ErrNotFound
	}
	return engine.Row{Operation: r.op, ETag: fmt.Sprint(r.version)}, nil
}

// Save implements engine.Store.
func (w *world) Save(_ context.Context, saved engine.Row, ev operation.Event) (string, error) {
	w.table(0, 1)
	r := w.rows[saved.Operation.ID]
	if r == nil || fmt.Sprint(r.version) != saved.ETag {
		return "", engine.ErrConflict
	}
	r.version++
	r.op = saved.Operation
	if what, ok := strings.CutPrefix(ev.What, "put off: "); ok {
		what, _, _ = strings.Cut(what, ",")
		name := quotaName(what)
		if w.putOff[name] == nil {
			w.putOff[name] = &Calls{First: w.now.Sub(w.began)}
		}
		w.putOff[name].PutOff++
	}
	return fmt.Sprint(r.version), nil
}

// Settle implements engine.Store: the entry that lists the end, the marker.
func (w *world) Finalize(context.Context, engine.Row) error {
	w.table(0, 2)
	return nil
}

// Close implements engine.Store.
func (w *world) FinalizeByID(context.Context, string) error { return errors.ErrUnsupported }

// Reopen implements engine.Store.
func (w *world) Reopen(context.Context, string, time.Time) error { return errors.ErrUnsupported }

// Live implements engine.Store.
func (w *world) ListLive(context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) { yield(engine.LiveMarker{}, errors.ErrUnsupported) }
}

// GetShared implements state.SharedRows.
func (w *world) GetShared(ctx context.Context, kind, key string) ([]byte, string, error) {
	w.table(1, 0)
	return w.shared.GetShared(ctx, kind, key)
}

// PutShared implements state.SharedRows.
func (w *world) PutShared(ctx context.Context, kind, key string, value []byte, etag string) (string, bool, error) {
	w.table(0, 1)
	return w.shared.PutShared(ctx, kind, key, value, etag)
}

type token struct{}

// GetToken implements azcore.TokenCredential.
func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "simulated", ExpiresOn: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
