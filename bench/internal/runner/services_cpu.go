package runner

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"azbackupflow/bench/internal/procstat"
)

// servicesCPU returns the CPU time of this process (the fake ARM and the broker) and
// of Azurite so far. Without /proc, Azurite's share is missing.
func servicesCPU() time.Duration {
	var ru syscall.Rusage
	var sum time.Duration
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		sum = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return sum
	}
	for _, list := range lists {
		pids, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for pid := range strings.FieldsSeq(string(pids)) {
			sum += nodeCPU(pid)
		}
	}
	return sum
}

// nodeCPU returns the CPU time of a process if it is Azurite's, and 0 otherwise.
func nodeCPU(pid string) time.Duration {
	name, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
	if err != nil || !strings.HasPrefix(string(name), "node") {
		return 0
	}
	user, system, err := procstat.CPU(pid)
	if err != nil {
		return 0
	}
	return user + system
}
