package functionshost

import (
	"os/exec"
	"syscall"
)

// isolate puts the handler into a process group of its own and ties its life to
// that of the thread which starts it: the kernel kills it when the stand-in
// dies, however that happens.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
