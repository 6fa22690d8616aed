package histories_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"azbackupflow/internal/local/armsim"
)

// plan holds what a seed decides before its history begins.
type plan struct {
	processes int
	requests  int
	skew      time.Duration
	// The rates of faults: of processes by command, of the services by request,
	// of messages by message.
	crash, freeze, torn, lost, doubled, azure float64
	// detect turns on the duplicate detection of the queue.
	detect bool
	// late is the share of commands that take seconds.
	late       float64
	quotas     armsim.Quotas
	failedJobs bool
	outages    []outage
	// faultless means that no fault happens.
	faultless bool
}

// outage is the time during which a service does not answer.
type outage struct {
	service  string
	from, to time.Duration
}

// calmAfter is the time after which no fault happens any more. Every history must
// end by itself within maxTime.
const (
	calmAfter = 75 * time.Minute
	maxTime   = 4 * 24 * time.Hour
)

func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 1))
	rate := func(of ...float64) float64 { return of[r.IntN(len(of))] }
	p := plan{
		processes: 1 + r.IntN(3), requests: 1 + min(r.IntN(3), r.IntN(3)), detect: r.IntN(2) == 0,
		quotas: armsim.AzureQuotas(), faultless: r.IntN(12) == 0, late: rate(0, 0.02, 0.1),
	}
	if r.IntN(3) == 0 {
		p.quotas.VaultReads, p.quotas.JobReads = 8, 8
		p.requests++
	}
	if p.faultless {
		return p
	}
	p.skew = time.Duration(r.IntN(30)) * time.Second
	p.crash, p.freeze = rate(0, 0.002, 0.01, 0.05), rate(0, 0, 0.003, 0.02)
	p.torn, p.azure = rate(0, 0, 0.02, 0.1), rate(0, 0.02, 0.1, 0.3)
	p.lost, p.doubled = rate(0, 0, 0.02, 0.1), rate(0, 0.05, 0.3)
	p.failedJobs = r.IntN(8) == 0
	for _, service := range []string{"store", "bus", "azure"} {
		if r.IntN(6) == 0 {
			from := time.Duration(r.IntN(30)) * time.Minute
			p.outages = append(p.outages, outage{service, from, from + time.Duration(1+r.IntN(25))*time.Minute})
		}
	}
	return p
}

// happens reports whether a fault of the given rate happens now.
func (w *world) happens(rate float64) bool {
	return rate > 0 && w.faulty() && w.rand.Float64() < rate
}

func (w *world) faulty() bool { return time.Since(w.began) < calmAfter }

// away reports whether a service does not answer now.
func (w *world) away(service string) bool {
	since := time.Since(w.began)
	for _, o := range w.plan.outages {
		if o.service == service && since >= o.from && since < o.to {
			return true
		}
	}
	return false
}

// latency returns the time of one command.
func (w *world) latency() time.Duration {
	if w.happens(w.plan.late) {
		return w.between(time.Second, 20*time.Second)
	}
	return w.between(time.Millisecond, 40*time.Millisecond)
}

func (w *world) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.rand.Int64N(int64(high-low)+1))
}

func (w *world) newID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", w.rand.Uint32(), w.rand.Uint64()>>16)
}

// nextRequest returns the flow and the parameters of a random request. Most
// requests of one history are about the same few items.
func (w *world) nextRequest() (flow string, parameters json.RawMessage) {
	item := w.azure.items[(w.favorite+min(w.rand.IntN(3), w.rand.IntN(3)))%len(w.azure.items)]
	p := map[string]any{}
	switch w.rand.IntN(10) {
	case 0:
		flow, p["itemId"] = "stop-protection", item
	case 1:
		flow, p["backupInstanceId"] = "stop-protection", w.azure.instances[1]
	case 2:
		flow, p["backupInstanceId"] = "backup-now", w.azure.instances[1]
		p["rule"] = map[string]any{"name": "BackupWeekly"}
	case 3:
		flow, p["backupInstanceId"] = "restore-postgres", w.azure.instances[0]
		p["recoveryPoint"] = map[string]any{"latest": true}
		p["asFiles"] = map[string]any{"containerUrl": container, "prefix": w.newID()}
	case 4:
		flow = "protect-file-share"
		p["vaultId"], _, _ = cutItem(item)
		p["storageAccountId"], p["fileShare"], p["policy"] = account, secondShare, "schedule1"
		p["firstBackup"] = map[string]any{}
	default:
		flow, p["itemId"] = "backup-now", item
		if _, _, database := cutItem(item); database {
			p["backupType"] = "Full"
		}
	}
	parameters, _ = json.Marshal(p)
	return flow, parameters
}
