package runner

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of /proc/<pid>/stat, which Linux guarantees to programs.
const tick = 10 * time.Millisecond

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
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return 0
	}
	name, rest, found := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if !found || !strings.Contains(name, "(node") || len(fields) < 13 {
		return 0
	}
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * tick
}
