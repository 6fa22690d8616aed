// Package simulate runs a night of backups that no real machine could run. The
// engine, the flows, the rate limiter and the job cache are unchanged; the
// clock is simulated, and Azure, the tables and Service Bus are in memory. The
// same seed returns the same result.
//
// What it does not do: it is not part of the deployed program, and it answers
// only the calls of backup-now.
package simulate

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"fmt"
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

// Config configures a simulation.
type Config struct {
	Seed                              uint64
	Operations, Subscriptions, Vaults int
	// Instances is the number of instances of the app that share the work.
	Instances int
	// Due is the period in which the operations fall due.
	Due time.Duration
	// FaultRate is the share of calls that fail with HTTP 500, FailureRate the
	// share of jobs that fail, DuplicateRate the share of messages that are
	// delivered twice.
	FaultRate, FailureRate, DuplicateRate float64
}

// Calls counts the calls against one quota.
type Calls struct {
	Name            string
	Limit           int
	Made, Throttled int
	// Peak is the highest used share of the limit.
	Peak float64
	// Deferred is the number of times that the rate limiter deferred a step, First
	// the time of the first deferral since the start.
	Deferred int
	First    time.Duration
}

// Report is the result of a simulation.
type Report struct {
	Config     Config
	Ends       map[operation.Status]int
	Took       time.Duration
	Calls      []Calls
	ARM        int
	P50, P95   time.Duration // from the end of the job to the end of its operation
	Max        time.Duration
	Steps      int
	Sent       int
	Delivered  int
	TableReads int
	// TableWrites counts transactions and single writes.
	TableWrites int
	// BusiestBus and BusiestTable are the operations per second in the busiest
	// minute.
	BusiestBus, BusiestTable float64
}

type message = engine.Message

// world holds the tables, the queue and the clock.
type world struct {
	config   Config
	now      time.Time
	rand     *rand.Rand
	rows     map[string]*row
	inbox    inbox
	order    int
	shared   *memory.Store
	report   Report
	began    time.Time
	deferred map[string]*Calls
	minute   map[time.Time][2]int
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
		deferred: map[string]*Calls{}, minute: map[time.Time][2]int{}, report: Report{Config: c, Ends: map[operation.Status]int{}},
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
			w.now = laterOf(w.now, due[0].at)
			if _, _, err := e.Start(ctx, due[0].request, engine.Origin{}); err != nil {
				return Report{}, err
			}
			due = due[1:]
			continue
		}
		next, _ := heap.Pop(&w.inbox).(delivery)
		w.now = laterOf(w.now, next.due)
		w.countBus(1)
		w.report.Delivered++
		if err := e.RunStep(ctx, operation.Delivery{Wakeup: next.sent.Wakeup, Count: 1}); err != nil {
			return Report{}, err
		}
		w.report.Steps++
	}
	return w.summarize(azure), nil
}

func (w *world) instance(azure *azure, clock func() time.Time) (*engine.Engine, error) {
	shelf := func(kind string) sharedrows.SharedRows { return sharedrows.SharedRows{Store: w, Kind: kind} }
	limiter, err := ratelimit.New(ratelimit.Config{Now: clock, Store: shelf("ratelimit")})
	if err != nil {
		return nil, err
	}
	client, err := arm.New(arm.Config{Credential: token{}, Transport: azure, Now: clock, Limiter: limiter})
	if err != nil {
		return nil, err
	}
	jobs, err := jobcache.New(jobcache.Config{Store: shelf("jobs"), Now: clock, NewID: w.newID, Waits: operation.AzureWaits(), MinGap: flow.JobPace(limiter)})
	if err != nil {
		return nil, err
	}
	flows, err := flow.New(flow.Config{
		ARM: client, Now: clock,
		Jobs: jobs,
	})
	if err != nil {
		return nil, err
	}
	return engine.New(engine.Config{
		Store: w, Queue: w, Flows: flows, Waits: operation.AzureWaits(), Now: clock, Jitter: w.rand.Float64, NewID: w.newID,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
}

type arrival struct {
	at      time.Time
	request request.Request
}

// arrivals returns the requests in the order of their due times. The requests
// of a subscription share one minute, as with schedules.
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

func (w *world) summarize(azure *azure) Report {
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
		r.P50, r.P95, r.Max = delays[n/2], delays[n*95/100], delays[n-1]
	}
	for name, c := range azure.calls {
		if strings.HasPrefix(name, "subscription ") {
			r.ARM += c.Made
		}
		if p := w.deferred[name]; p != nil {
			c.Deferred, c.First = p.Deferred, p.First
		}
		r.Calls = append(r.Calls, *c)
	}
	slices.SortFunc(r.Calls, func(a, b Calls) int { return cmp.Compare(a.Name, b.Name) })
	for _, m := range w.minute {
		r.BusiestBus, r.BusiestTable = max(r.BusiestBus, float64(m[0])/60), max(r.BusiestTable, float64(m[1])/60)
	}
	return *r
}

func (w *world) newID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", w.rand.Uint32(), w.rand.Uint64()>>16)
}

type token struct{}

// GetToken implements azcore.TokenCredential.
func (token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "simulated", ExpiresOn: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
