//go:build unix && !linux

package functionshost

import (
	"os/exec"
	"syscall"
)

// isolate puts the handler into a process group of its own. It outlives a
// stand-in that is killed: only Linux offers to prevent that.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
