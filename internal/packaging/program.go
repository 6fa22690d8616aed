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

// azureOn is where Functions on Linux run custom handlers, on that processor.
func azureOn(arch string) (platform, error) {
	switch arch {
	case "", "amd64":
		return platform{os: "linux", arch: "amd64"}, nil
	case "arm64":
		return platform{os: "linux", arch: "arm64"}, nil
	}
	return platform{}, fmt.Errorf("the processor is %q, want amd64 or arm64", arch)
}

// build makes the program in functions/ without a C library, which Azure's
// image need not have, and without paths and times of this machine.
func (p platform) build(ctx context.Context, root, out, version string) error {
	if strings.ContainsAny(version, " \t\n'\"") {
		return fmt.Errorf("the version %q holds a space or a quote", version)
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("name the program: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version="+version, "-o", out, "./"+functionsFolder)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the program for %s/%s: %w\n%s", p.os, p.arch, err, output)
	}
	return nil
}
