package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"azbackupflow/bench/internal/procstat"
)

// usage holds the resources that this process and its server have used so far.
type usage struct {
	user, system time.Duration
	rss, peak    int64
}

// readUsage returns what this process has used, and its server unless the ID of the
// server is 0.
func readUsage(server int) (usage, error) {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return usage{}, fmt.Errorf("read the usage of this process: %w", err)
	}
	u := usage{user: time.Duration(ru.Utime.Nano()), system: time.Duration(ru.Stime.Nano())}
	// Getrusage returns the parent's peak if that was higher: the kernel keeps it
	// across exec.
	if err := u.addMemory("self"); err != nil {
		return usage{}, fmt.Errorf("read the usage of this process: %w", err)
	}
	if server == 0 {
		return u, nil
	}
	pid := strconv.Itoa(server)
	user, system, err := procstat.CPU(pid)
	if err == nil {
		err = u.addMemory(pid)
	}
	if err != nil {
		return usage{}, fmt.Errorf("read the usage of the server: %w", err)
	}
	u.user, u.system = u.user+user, u.system+system
	return u, nil
}

// addMemory adds the resident memory of a process.
func (u *usage) addMemory(pid string) error {
	status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		return err
	}
	u.rss, u.peak = u.rss+kilobytes(status, "VmRSS:"), u.peak+kilobytes(status, "VmHWM:")
	return nil
}

func kilobytes(status []byte, name string) int64 {
	for line := range bytes.Lines(status) {
		if fields := bytes.Fields(line); len(fields) > 1 && string(fields[0]) == name {
			n, err := strconv.ParseInt(string(fields[1]), 10, 64)
			if err == nil {
				return n << 10
			}
		}
	}
	return 0
}
