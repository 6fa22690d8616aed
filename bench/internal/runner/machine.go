package runner

import (
	"bufio"
	"os"
	"runtime"
	"strings"

	"azbackupflow/bench/internal/work"
)

// Machine describes the machine, as far as /proc shows it.
func Machine() work.Machine {
	m := work.Machine{CPU: "unknown", Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Load: "unknown"}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		if fields := strings.Fields(string(load)); len(fields) > 0 {
			m.Load = fields[0]
		}
	}
	info, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return m
	}
	defer func() { _ = info.Close() }()
	for lines := bufio.NewScanner(info); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}
