package memory_test

import (
	"testing"

	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/state/statetest"
)

func TestStore_KeepsContract(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(*testing.T) statetest.Store { return memory.New() })
}
