package memory_test

import (
	"testing"

	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/archive/archivetest"
	"azbackupflow/internal/drill/archive/memory"
)

func TestStore_KeepsTheContract(t *testing.T) {
	t.Parallel()
	archivetest.Run(t, func(*testing.T) archive.Store { return memory.New() })
}
