package memory_test

import (
	"testing"

	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/state/statetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(*testing.T) statetest.Store { return memory.New() })
}
