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

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
)

// killer kills the handler with SIGKILL the first time that each kind of
// request reaches each of its moments, and then at random. Between two kills it
// lets some requests pass, so that there is something to interrupt.
type killer struct {
	mu     sync.Mutex
	kill   func() bool // nil: not yet
	calm   int         // requests to let pass before the next kill
	done   map[point]bool
	seen   map[point]int
	random int // kills at random that are still to be made
	chance *rand.Rand
	kills  int
	must   []point          // what every run comes to, sooner or later
	only   func(point) bool // which requests there are to it; nil: all
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

// A request of a kind that has been seen rarely does not wait for so long: it
// may not come again.
const (
	rare        = 12
	calmForRare = requestsBetweenKills - 10
)

// ofShared are requests about rows that instances share, which are created once
// and written seldom. They are hit even right after another kill.
const ofShared = " shared"

// seldom tells the kinds that come once in minutes, if at all, which are hit
// then, too: those of the timers of what is declared, and the copy of what was
// dead-lettered.
func seldom(kind string) bool {
	return slices.ContainsFunc([]string{"schedule", "sweep-resources", "rejected"}, func(part string) bool { return strings.Contains(kind, part) })
}

// hook is the stack's fault hook.
func (k *killer) hook(m fault.Moment, r fault.Request) {
	kind := r.Kind
	for _, row := range []string{"budget", "jobs"} {
		if strings.HasSuffix(kind, ofShared) && strings.Contains(r.Detail, row+"_3A") {
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
	switch {
	case killed:
		k.done[p] = true
		k.kills++
	case seldom(p.kind):
		k.seen[p]-- // Its sender had died at another point meanwhile, and it may not come again.
	}
}

// calmFor is how many requests may be left of the calm when a point is hit; the
// lock is held.
func (k *killer) calmFor(p point) int {
	switch {
	case strings.Contains(p.kind, ofShared) || seldom(p.kind):
		return requestsBetweenKills
	case k.seen[p] <= rare:
		return calmForRare
	}
	return 0
}

// wants decides about one point; the lock is held.
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

// arm begins the killing.
func (k *killer) arm(kill func() bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kill = kill
}

// made counts the kills, and the points at which at least one was made.
func (k *killer) made() (kills, points int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kills, len(k.done)
}

// missing lists the points that were reached and never hit, and those that must
// be. Dead-lettering is no part of a step, and giving a request back is what the
// host does after a kill: they are hit when they happen.
func (k *killer) missing() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var names []string
	for _, p := range k.must {
		if k.seen[p] == 0 {
			names = append(names, p.String())
		}
	}
	for p, n := range k.seen {
		if n > 0 && !k.done[p] && !strings.Contains(strings.ToLower(p.kind), "dead") && p.kind != "abandon requests" && p.kind != "abandon start-operation" {
			names = append(names, p.String())
		}
	}
	slices.Sort(names)
	return names
}

// The deployed binary, unchanged, is killed around every kind of request that
// the stand-ins serve it; a new host takes over after each third crash. All
// operations of every flow end, none is lost, and each backup and each restore
// was started exactly once. Each has told that it started and that it
// succeeded.
func TestKill_AtEveryRequestLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	const accounts, shares = 6, 7
	protected := world.AddFileShares(accounts+1, shares, "schedule1")
	others := newKilled(&world, protected[accounts])
	protected = protected[:accounts]
	unprotected := addUnprotected(&world, 3, 4)
	// The shared rows of the budget and of the job list.
	k := newKiller(20, point{"table", "GET shared, budget", fault.After}, point{"table", "PUT shared, jobs", fault.After})
	// Low enough for the budget to be shared, and for some steps to be put off:
	// each round deletes twice at once, however slow the machine is.
	quotas := armsim.Quotas{
		Writes: armsim.Bucket{Size: 15, PerSecond: 0.03}, Deletes: armsim.Bucket{Size: 1, PerSecond: 0.0015}, Window: time.Hour,
	}
	l := start(t, stack.Config{SpeedFactor: 120, World: &world, Quotas: quotas, Fault: k.hook, Queues: noticeQueues(), Settings: map[string]string{
		"AZBACKUPFLOW_NOTICES": "notices", "AZBACKUPFLOW_REPLY_QUEUES": "answers",
		"AZBACKUPFLOW_RESTORE_TARGETS": others.container(), "AZBACKUPFLOW_ALLOW_DELETE": "true",
	}})
	// A machine so slow that it never spends its quota is refused all the same.
	refusedBackups := armsim.Rule{Kind: "POST backup", Times: 3, Effect: armsim.AnswerError(
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
	// Rare requests may slip through a calm moment: rounds go on until each has
	// been hit.
	rounds := 0
	for ; rounds == 0 || len(k.missing()) > 0 && rounds < killRounds; rounds++ {
		if rounds > 0 && strings.Contains(fmt.Sprint(k.missing()), "budget") {
			l.ARM.Inject(refusedBackups)
		}
		ids = append(ids, others.begin(l, rounds)...)
		ids = append(ids, l.askForAll(fmt.Sprint("all-", rounds), protected[0], shares, want)...)
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
			continue // a server's
		}
		triggered[item(b.Container, b.FriendlyName)]++
	}
	require.Equal(t, want, triggered, "backups of each item")
	others.startedOnce(l, rounds)
	l.requireTold("notices", ids)
	require.Positive(t, hosts(), "new hosts")
	kills, points := k.made()
	t.Logf("%d operations in %d rounds, %d kills at %d points, %d new hosts", len(ids), rounds, kills, points, hosts())
}

// askForAll asks for backups of all shares of an account by one message.
func (l *local) askForAll(key, account string, shares int, want map[string]int) (ids []string) {
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

// survives waits for an operation's success. Who is killed at five rescues in a
// row is left to a person.
func (l *local) survives(id string) {
	l.t.Helper()
	v := l.await(id)
	for n := 0; n < 3 && v.Status == operation.Parked && v.Error.Code == "NoProgress"; n++ {
		l.retried(id)
		v = l.await(id)
	}
	require.Equalf(l.t, operation.Succeeded, v.Status, "operation %s: %+v", id, v.Error)
}

// retried retries an operation, as often as it takes while the handler dies.
func (l *local) retried(id string) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		_, _, _ = l.try(http.MethodPost, "/operations/"+id+"/retry", nil)
		v, ok := l.get(id)
		return ok && v.Status != operation.Parked
	}, patience, 50*time.Millisecond, "operation %s is not retried", id)
}

// item names a file share by its storage account, which is the last part of
// both a resource id and a container's name.
func item(account, share string) string {
	return account[strings.LastIndexAny(account, "/;")+1:] + "/" + share
}

// fileShare is a share of a storage account, by resource id and name.
type fileShare struct{ account, name string }

// parameters asks for the share to be protected and backed up.
func (s fileShare) parameters() map[string]any {
	return map[string]any{
		"vaultId": demoVault, "storageAccountId": s.account, "fileShare": s.name, "policy": "schedule1",
		"firstBackup": map[string]any{},
	}
}

// addUnprotected adds storage accounts that no vault knows yet, and gives
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

// keepHostsRunning starts a new host whenever one has given up on its handler.
// The function it returns counts them.
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
