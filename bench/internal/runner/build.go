package runner

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build builds the programs of all contestants into a folder. module is the folder
// of the benchmark's module.
func Build(ctx context.Context, module, folder string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", folder+string(filepath.Separator), "./engines/...")
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the contestants: %w: %s", err, lastLine(string(out)))
	}
	return nil
}

// modules are the modules of the engines.
func modules() map[string]string {
	return map[string]string{
		"github.com/microsoft/durabletask-go":          "durabletask-go",
		"github.com/cschleiden/go-workflows":           "go-workflows",
		"github.com/dbos-inc/dbos-transact-golang":     "DBOS Transact",
		"github.com/riverqueue/river":                  "River",
		"github.com/restatedev/sdk-go":                 "Restate",
		"github.com/Azure/azure-sdk-for-go/sdk/azcore": "azcore",
	}
}

// Versions returns the versions of the engines that the programs of a folder are
// built with.
func Versions(folder string) (map[string]string, error) {
	programs, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read the versions of the contestants: %w", err)
	}
	versions, names := map[string]string{}, modules()
	for _, p := range programs {
		info, err := buildinfo.ReadFile(filepath.Join(folder, p.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the version of %s: %w", p.Name(), err)
		}
		for _, m := range info.Deps {
			if name := names[m.Path]; name != "" {
				versions[name] = m.Version
			}
		}
	}
	return versions, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
