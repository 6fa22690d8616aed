package procstat_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/bench/internal/procstat"
)

func TestCPU_GrowsWithWork(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this machine has no /proc")
	}
	pid := strconv.Itoa(os.Getpid())
	user, _, err := procstat.CPU(pid)
	require.NoError(t, err)
	for more := user; more <= user; {
		if more, _, err = procstat.CPU(pid); err != nil {
			break
		}
	}
	require.NoError(t, err)
	_, _, err = procstat.CPU("0")
	require.ErrorContains(t, err, "read the CPU time of process 0")
}
