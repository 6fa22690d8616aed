package contestant

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/engine"
)

// kind is what an invocation turned out to be.
type kind int

const (
	other kind = iota
	accept
	startStep
	pollStep
	lastStep
)

// invocation counts what one invocation asked for. The store makes some
// requests at the same time.
type invocation struct {
	kind                 kind
	reads, writes, sends atomic.Int64
	// after is called when the invocation is done.
	after func()
}

type invocationKey struct{}

// invocationOf gives the invocation that the context belongs to.
func invocationOf(ctx context.Context) *invocation {
	if i, ok := ctx.Value(invocationKey{}).(*invocation); ok {
		return i
	}
	return &invocation{}
}

// ledger adds up invocations.
type ledger struct {
	mu   sync.Mutex
	sums map[kind]work.Requests
}

func newLedger() *ledger { return &ledger{sums: map[kind]work.Requests{}} }

func (l *ledger) add(i *invocation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	reads, writes, sends := int(i.reads.Load()), int(i.writes.Load()), int(i.sends.Load())
	sum := l.sums[i.kind]
	sum.Invocations++
	sum.TableReads += reads
	sum.TableWrites += writes
	sum.Sends += sends
	sum.MostTable, sum.MostSends = max(sum.MostTable, reads+writes), max(sum.MostSends, sends)
	l.sums[i.kind] = sum
}

// reset forgets what came before, such as the warm-up, which creates tables.
func (l *ledger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.sums)
}

func (l *ledger) total() work.Cost {
	l.mu.Lock()
	defer l.mu.Unlock()
	return work.Cost{Accept: l.sums[accept], Start: l.sums[startStep], Poll: l.sums[pollStep], Last: l.sums[lastStep]}
}

// countTables counts the requests that leave for the table service, repeated
// ones too. A transaction is one request.
type countTables struct{}

// Do implements policy.Policy.
func (countTables) Do(req *policy.Request) (*http.Response, error) {
	i := invocationOf(req.Raw().Context())
	if req.Raw().Method == http.MethodGet {
		i.reads.Add(1)
	} else {
		i.writes.Add(1)
	}
	return req.Next()
}

// countSends counts the messages sent.
type countSends struct{ engine.Queue }

// Send implements engine.Queue.
func (q countSends) Send(ctx context.Context, m engine.Message) error {
	invocationOf(ctx).sends.Add(1)
	return q.Queue.Send(ctx, m)
}
