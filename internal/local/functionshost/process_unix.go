//go:build unix && !linux

package functionshost

import (
	"os/exec"
	"syscall"
)

// isolate starts the handler in its own process group. If the stand-in is killed, the
// handler ends by itself: only Linux kills it.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
