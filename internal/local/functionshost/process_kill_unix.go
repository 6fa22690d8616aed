//go:build unix

package functionshost

import (
	"os/exec"
	"syscall"
)

// killProcess kills the handler and what it started.
func killProcess(cmd *exec.Cmd) error {
	return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}
