package main

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/engine"
)

// kind classifies invocations.
type kind int

const (
	other kind = iota
	accept
	startStep
	pollStep
	lastStep
)

// invocation counts the requests of one invocation. The counters are atomic because
// the store makes some requests at the same time.
type invocation struct {
	kind                 kind
	reads, writes, sends atomic.Int64
	// after is called when the invocation is done.
	after func()
}

type invocationKey struct{}

// invocationOf returns the invocation in the context, or a new one if there is none.
func invocationOf(ctx context.Context) *invocation {
	if i, ok := ctx.Value(invocationKey{}).(*invocation); ok {
		return i
	}
	return &invocation{}
}

// requestCounter sums the requests of invocations by kind.
type requestCounter struct {
	mu   sync.Mutex
	sums map[kind]work.Requests
}

func newRequestCounter() *requestCounter { return &requestCounter{sums: map[kind]work.Requests{}} }

func (c *requestCounter) add(i *invocation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	reads, writes, sends := int(i.reads.Load()), int(i.writes.Load()), int(i.sends.Load())
	sum := c.sums[i.kind]
	sum.Invocations++
	sum.TableReads += reads
	sum.TableWrites += writes
	sum.Sends += sends
	sum.MaxTable, sum.MaxSends = max(sum.MaxTable, reads+writes), max(sum.MaxSends, sends)
	c.sums[i.kind] = sum
}

// reset discards the counts so far: those of the warm-up, which creates tables.
func (c *requestCounter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.sums)
}

func (c *requestCounter) total() work.Cost {
	c.mu.Lock()
	defer c.mu.Unlock()
	return work.Cost{Accept: c.sums[accept], Start: c.sums[startStep], Poll: c.sums[pollStep], Last: c.sums[lastStep]}
}

// countTables counts the requests to the table service, retries included. A
// transaction is one request.
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

// countSends counts the sent messages.
type countSends struct{ engine.Queue }

// Send implements engine.Queue.
func (q countSends) Send(ctx context.Context, m engine.Message) error {
	invocationOf(ctx).sends.Add(1)
	return q.Queue.Send(ctx, m)
}
