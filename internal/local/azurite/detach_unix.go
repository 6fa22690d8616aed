//go:build unix

package azurite

import (
	"os/exec"
	"syscall"
)

// detach keeps the Ctrl-C of the terminal away from the child. The table
// service must outlive the handlers that still write to it; Stop ends it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
