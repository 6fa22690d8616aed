//go:build !unix

package functionshost

import "os/exec"

// isolate does nothing where there are no process groups.
func isolate(*exec.Cmd) {}

// killProcess kills the handler.
func killProcess(cmd *exec.Cmd) error { return cmd.Process.Kill() }
