//go:build !unix

package azurite

import "os/exec"

// detach does nothing on this system: only Unix has process groups.
func detach(*exec.Cmd) {}
