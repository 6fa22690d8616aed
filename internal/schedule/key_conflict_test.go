package schedule_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
)

// takenKeys is an engine in which each key belongs to another request.
type takenKeys struct{}

func (takenKeys) Start(_ context.Context, r request.Request, _ engine.Origin) (operation.Operation, bool, error) {
	return operation.Operation{}, false, &engine.KeyConflict{ID: "other", Flow: r.Flow, Key: r.Key}
}

// A run whose key belongs to another request is rejected, so that an operator
// sees that it does not start.
func TestTick_RejectsARunWhoseKeyBelongsToAnotherRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(1)
	config := s.config(allItems(""))
	s.tick(s.runner(config), "2026-11-20T12:00:00")
	config.Engine = takenKeys{}
	s.tick(s.runner(config), "2026-11-21T02:30:00")
	require.Len(t, s.rejected, 1)
	require.Contains(t, s.rejected[0], "schedule:daily:2026-11-21T02:30:")
	require.Contains(t, s.rejected[0], "other")
}
