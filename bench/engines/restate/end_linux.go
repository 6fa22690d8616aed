package main

import (
	"os/exec"
	"syscall"
)

// endWithParent lets the kernel kill the server when this process ends, however it
// ends.
func endWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
