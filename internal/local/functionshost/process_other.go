//go:build !unix

package functionshost

import "os/exec"

// isolate does nothing on systems without process groups.
func isolate(*exec.Cmd) {}

// killProcess kills the handler.
func killProcess(cmd *exec.Cmd) error { return cmd.Process.Kill() }
