package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
)

// killer kills the handler with SIGKILL the first time that each kind of
// request reaches each of its moments, and then at random. Between two kills
// some requests pass, so that there is work to interrupt. From the second round of
// work, a point that was never hit is hit at once.
type killer struct {
	mu     sync.Mutex
	kill   func() bool // nil: not yet
	calm   int         // requests to let pass before the next kill
	atOnce bool        // points that were never hit do not wait for the calm
	done   map[point]bool
	seen   map[point]int
	random int // remaining kills at random
	chance *rand.Rand
	kills  int
	must   []point          // points that every run reaches
	only   func(point) bool // which requests count; nil: all
}

func newKiller(random int, must ...point) *killer {
	return &killer{
		done: map[point]bool{}, seen: map[point]int{}, random: random, chance: rand.New(rand.NewPCG(1, 2)), must: must,
	}
}

// point is one moment of one kind of request.
type point struct {
	service, kind string
	moment        fault.Moment
}

func (p point) String() string { return fmt.Sprintf("%s %s, %s", p.moment, p.service, p.kind) }

const requestsBetweenKills = 30

// A rarely seen kind of request has a shorter wait, because it may not occur
// again.
const (
	rare        = 12
	calmForRare = requestsBetweenKills - 10
)

// sharedKind marks requests for rows that instances share, which are created once
// and rarely written. They are hit even right after another kill.
const sharedKind = " shared"

// occursRarely reports whether a kind occurs at most once in minutes and is therefore
// hit even right after another kill: requests of the timers of declarations,
// and the copy of a dead-lettered request.
func occursRarely(kind string) bool {
	return slices.ContainsFunc([]string{"schedule", "sweep-resources", "rejected"}, func(part string) bool { return strings.Contains(kind, part) })
}

// hook is the fault hook of the stack.
func (k *killer) hook(m fault.Moment, r fault.Request) {
	kind := r.Kind
	for _, row := range []string{"ratelimit", "jobs"} {
		if strings.HasSuffix(kind, sharedKind) && strings.Contains(r.Detail, row+"_3A") {
			kind += ", " + row
		}
	}
	p := point{r.Service, kind, m}
	if k.only != nil && !k.only(p) {
		return
	}
	k.mu.Lock()
	k.seen[p]++
	k.calm--
	kill := k.kill
	now := kill != nil && k.calm <= k.calmFor(p) && k.wants(p)
	if now {
		k.calm = requestsBetweenKills
	}
	k.mu.Unlock()
	if !now {
		return
	}
	killed := kill()
	k.mu.Lock()
	defer k.mu.Unlock()
	if killed {
		k.done[p] = true
		k.kills++
	} else {
		k.seen[p]-- // Its sender had died at another point meanwhile, and the request may not be repeated.
	}
}

// calmFor returns the number of requests that may remain of the pause when a
// point is hit. The caller holds the lock.
func (k *killer) calmFor(p point) int {
	switch {
	case k.atOnce && !k.done[p] || strings.Contains(p.kind, sharedKind) || occursRarely(p.kind):
		return requestsBetweenKills
	case k.seen[p] <= rare:
		return calmForRare
	}
	return 0
}

// wants reports whether to kill at a point. The caller holds the lock.
func (k *killer) wants(p point) bool {
	if !k.done[p] {
		return true
	}
	if k.random > 0 && k.chance.IntN(200) == 0 {
		k.random--
		return true
	}
	return false
}

// arm starts the killing.
func (k *killer) arm(kill func() bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kill = kill
}

// made returns the number of kills, and the number of points with at least one
// kill.
func (k *killer) made() (kills, points int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kills, len(k.done)
}

// again reports whether a test starts another round of work: always a first one, and
// then until every point is hit.
func (k *killer) again(round int) bool {
	missing := k.missing()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.atOnce = round > 0
	return round == 0 || len(missing) > 0 && round < killRounds
}

// missing returns the points that were reached or required but never hit.
func (k *killer) missing() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var names []string
	for _, p := range k.must {
		if !k.done[p] {
			names = append(names, p.String())
		}
	}
	for p, n := range k.seen {
		if n > 0 && !k.done[p] && !occursByChance(p.kind) && !slices.Contains(k.must, p) {
			names = append(names, p.String())
		}
	}
	slices.Sort(names)
	return names
}

// occursByChance reports whether a kind may occur once and never again, so that a test
// that needs it names it. Dead-lettering is not part of a step, the host abandons a
// message after a kill, and instances meet at a shared row by chance.
func occursByChance(kind string) bool {
	return strings.Contains(strings.ToLower(kind), "dead") || kind == "abandon requests" || kind == "abandon start-operation" || strings.Contains(kind, sharedKind)
}

// TestKill_AtEveryRequestLosesAndRepeatsNothing kills the unchanged deployed
// binary around every kind of request that the stand-ins serve. A new host
// replaces the old one after each third crash. All operations of every flow
// end, none is lost, each backup and each restore starts exactly once, and each
// operation has sent the notices of its start and its success.
func TestKill_AtEveryRequestLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	const accounts, shares = 6, 7
	protected := world.AddFileShares(accounts+1, shares, "schedule1")
	others := newKilled(&world, protected[accounts])
	protected = protected[:accounts]
	unprotected := addUnprotected(&world, 3, 4)
	// These are the shared rows of the rate limiter and of the job cache.
	k := newKiller(20, point{"table", "GET shared, ratelimit", fault.After}, point{"table", "PUT shared, jobs", fault.After})
	// The quota is low enough that instances share the limit and that the limiter
	// defers some steps: each round deletes twice at once, on however slow a
	// machine.
	quotas := armsim.Quotas{
		Writes: armsim.Bucket{Size: 15, PerSecond: 0.03}, Deletes: armsim.Bucket{Size: 1, PerSecond: 0.0015}, Window: time.Hour,
	}
	l := start(t, stack.Config{SpeedFactor: 120, World: &world, Quotas: quotas, Fault: k.hook, Queues: noticeQueues(), Settings: map[string]string{
		"AZBACKUPFLOW_NOTICES": "notices", "AZBACKUPFLOW_REPLY_QUEUES": "answers",
		"AZBACKUPFLOW_RESTORE_TARGETS": others.container(), "AZBACKUPFLOW_ALLOW_DELETE": "true",
	}})
	// A slow machine may never use up its quota, so three backups are throttled in
	// any case.
	throttledBackups := armsim.Rule{Kind: "POST backup", Times: 3, Effect: armsim.AnswerError(
		http.StatusTooManyRequests, "SubscriptionRequestsThrottled", "Number of 'write' requests exceeded the limit.", http.Header{"Retry-After": {"5"}},
	)}
	hosts := keepHostsRunning(t, l)
	k.arm(l.KillHandler)

	want := map[string]int{} // backups of each item
	var ids []string
	for i, share := range unprotected {
		request := protect(fmt.Sprintf("protect-%d", i))
		request["parameters"] = share.parameters()
		ids = append(ids, l.begin(request))
		want[item(share.account, share.name)]++
	}
	// Rare requests may fall into a pause. Rounds continue until each kind has
	// been hit.
	rounds := 0
	for ; k.again(rounds); rounds++ {
		if rounds > 0 && strings.Contains(fmt.Sprint(k.missing()), "ratelimit") {
			l.ARM.Inject(throttledBackups)
		}
		ids = append(ids, others.begin(l, rounds)...)
		ids = append(ids, l.requestForAll(fmt.Sprint("all-", rounds), protected[0], shares, want)...)
		for i, account := range protected[1:] {
			for j := range shares {
				name := fmt.Sprintf("share%04d", j)
				asked := backup(fmt.Sprintf("backup-%d-%d-%d", rounds, i, j), account, name)
				if j%2 == 0 {
					ids = append(ids, l.begin(asked))
				} else {
					ids = append(ids, l.ask(asked))
				}
				want[item(account, name)]++
			}
		}
		ids = append(ids, others.leave(l, rounds)...)
		for _, id := range ids {
			l.survives(id)
		}
	}
	require.GreaterOrEqual(t, len(ids), 50)
	require.Empty(t, k.missing(), "moments at which the handler was never killed")

	triggered := map[string]int{}
	for _, b := range l.ARM.Backups() {
		if b.RuleName != "" {
			continue // of a server
		}
		triggered[item(b.Container, b.FriendlyName)]++
	}
	require.Equal(t, want, triggered, "backups of each item")
	others.startedOnce(l, rounds)
	l.requireNotices("notices", ids)
	require.Positive(t, hosts(), "new hosts")
	kills, points := k.made()
	t.Logf("%d operations in %d rounds, %d kills at %d points, %d new hosts", len(ids), rounds, kills, points, hosts())
}

// requestForAll requests backups of all shares of an account by one message.
func (l *local) requestForAll(key, account string, shares int, want map[string]int) (ids []string) {
	l.t.Helper()
	common := backup("", account, "any")
	bulk := request.Bulk{Key: key, Template: request.Template{Flow: "backup-now", Parameters: encoded(common["parameters"])}}
	for i := range shares {
		name := fmt.Sprintf("share%04d", i)
		bulk.Targets = append(bulk.Targets, encoded(map[string]any{"fileShare": map[string]any{"name": name}}))
		want[item(account, name)]++
	}
	for i := range bulk.Targets {
		r, err := bulk.Request(i)
		require.NoError(l.t, err)
		ids = append(ids, operation.ID("local", r.Flow, r.Key))
	}
	l.send("requests", message(key, bulk))
	return ids
}

// survives waits until an operation succeeds. It does what an operator would do: it
// replays a request that was rejected because all its deliveries were killed,
// and retries an operation that was parked because five rescues in a row were
// killed.
func (l *local) survives(id string) {
	l.t.Helper()
	require.Eventuallyf(l.t, func() bool {
		if _, ok := l.get(id); ok {
			return true
		}
		l.replayRejected()
		return false
	}, maxWait, 50*time.Millisecond, "operation %s never begins", id)
	v := l.await(id)
	for n := 0; n < 3 && v.Status == api.Parked && v.Error.Code == "NoProgress"; n++ {
		l.retried(id)
		v = l.await(id)
	}
	require.Equalf(l.t, api.Succeeded, v.Status, "operation %s: %+v", id, v.Error)
}

// replayRejected replays the rejected requests that were not replayed yet, as
// far as the API is available.
func (l *local) replayRejected() {
	all, _ := l.tryRejectedRequests()
	for _, r := range all {
		if r.ReplayedAt.IsZero() {
			_, _, _ = l.try(http.MethodPost, "/rejected/"+r.ID+"/replay", nil)
		}
	}
}

// retried retries an operation, repeatedly while the handler dies.
func (l *local) retried(id string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		_, _, _ = l.try(http.MethodPost, "/operations/"+id+"/retry", nil)
		v, ok := l.get(id)
		return ok && v.Status != api.Parked
	}, maxWait, 50*time.Millisecond, "operation %s is not retried", id)
}

// item names a file share by its storage account, which is the last part of
// both a resource ID and a container name.
func item(account, share string) string {
	return account[strings.LastIndexAny(account, "/;")+1:] + "/" + share
}

// fileShare is a share of a storage account, by resource ID and name.
type fileShare struct{ account, name string }

// parameters returns the parameters to protect and back up the share.
func (s fileShare) parameters() map[string]any {
	return map[string]any{
		"vaultId": demoVault, "storageAccountId": s.account, "fileShare": s.name, "policy": "schedule1",
		"firstBackup": map[string]any{},
	}
}

// addUnprotected adds storage accounts that no vault knows yet. It returns
// their shares.
func addUnprotected(world *armsim.World, accounts, shares int) []fileShare {
	var all []fileShare
	for i := range accounts {
		account := armsim.StorageAccount{
			Subscription: armsim.DemoSubscription, ResourceGroup: "fresh", Name: fmt.Sprintf("fresh%04d", i),
			Location: world.Vaults[0].Location,
		}
		for j := range shares {
			share := armsim.Share{Name: fmt.Sprintf("share%04d", j)}
			account.Shares = append(account.Shares, share)
			all = append(all, fileShare{account.ID(), share.Name})
		}
		world.StorageAccounts = append(world.StorageAccounts, account)
	}
	return all
}

// keepHostsRunning starts a new host when one has stopped restarting its
// handler. The returned function counts the hosts.
func keepHostsRunning(t *testing.T, l *local) func() int {
	t.Helper()
	var started atomic.Int32
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-l.Host().Done():
				if err := l.StartHost(t.Context()); err == nil {
					started.Add(1)
				}
			}
		}
	})
	t.Cleanup(func() { close(stop); wg.Wait() })
	return func() int { return int(started.Load()) }
}
