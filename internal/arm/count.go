package arm

import (
	"context"
	"sync/atomic"
)

type countKey struct{}

// CountCalls gives a context whose calls are counted, pages of lists each, and
// a function that tells how many there were.
func CountCalls(ctx context.Context) (context.Context, func() int) {
	n := &atomic.Int64{}
	return context.WithValue(ctx, countKey{}, n), func() int { return int(n.Load()) }
}

func counted(ctx context.Context) {
	if n, ok := ctx.Value(countKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}
