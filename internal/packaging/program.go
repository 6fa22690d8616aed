package packaging

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// platform is an operating system and a processor, in Go's names.
type platform struct{ os, arch string }

// azureOn returns the platform of custom handlers on Azure with that processor.
func azureOn(arch string) (platform, error) {
	switch arch {
	case "", "amd64":
		return platform{os: "linux", arch: "amd64"}, nil
	case "arm64":
		return platform{os: "linux", arch: "arm64"}, nil
	}
	return platform{}, fmt.Errorf("processor %q is not supported; set amd64 or arm64", arch)
}

// build builds the program in a folder. It uses no C library, because Azure's
// image may lack it, and leaves out the paths and times of this machine, so that
// builds are reproducible.
func (p platform) build(ctx context.Context, root, out, version, folder string) error {
	if strings.ContainsAny(version, " \t\n'\"") {
		return fmt.Errorf("version %q contains a space or a quote; remove it", version)
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("find the path of the program: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version="+version, "-o", out, "./"+folder)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program for %s/%s: %w\n%s", p.os, p.arch, err, output)
	}
	return nil
}
