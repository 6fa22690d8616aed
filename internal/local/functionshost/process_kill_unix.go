//go:build unix

package functionshost

import (
	"os/exec"
	"syscall"
)

// killProcess kills the handler and its child processes.
func killProcess(cmd *exec.Cmd) error {
	return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}
