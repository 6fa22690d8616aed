package functionshost

import (
	"os/exec"
	"syscall"
)

// isolate starts the handler in its own process group. The kernel kills the handler
// when the thread that starts it ends, so it never outlives the stand-in.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
