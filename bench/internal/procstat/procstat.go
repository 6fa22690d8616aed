// Package procstat reads the CPU time of other processes.
package procstat

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/<pid>/stat, which Linux guarantees to programs.
const tick = 10 * time.Millisecond

// The fields of /proc/<pid>/stat after the name of the program.
const userField, systemField = 11, 12

// CPU returns the CPU time that a process has used so far.
func CPU(pid string) (user, system time.Duration, err error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return 0, 0, fmt.Errorf("read the CPU time of process %s: %w", pid, err)
	}
	// The name is in parentheses, and may contain spaces and parentheses.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) <= systemField {
		return 0, 0, fmt.Errorf("read the CPU time of process %s: %d fields; want more than %d", pid, len(fields), systemField)
	}
	times := make([]time.Duration, 2)
	for i, field := range []string{fields[userField], fields[systemField]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read the CPU time of process %s: %w", pid, err)
		}
		times[i] = time.Duration(n) * tick
	}
	return times[0], times[1], nil
}
