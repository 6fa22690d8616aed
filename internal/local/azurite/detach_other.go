//go:build !unix

package azurite

import "os/exec"

// detach does nothing here: process groups are a Unix matter.
func detach(*exec.Cmd) {}
