//go:build unix

package azurite

import (
	"os/exec"
	"syscall"
)

// detach keeps the terminal's Ctrl-C away from the child: the table service
// must outlive the handlers that still write to it, and ends by Stop.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
