package azurite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// PathVariable names the environment variable with the path of another Azurite
// than the one of `make deps`: an azurite-table program, or the folder of the
// azurite package.
const PathVariable = "AZBACKUPFLOW_AZURITE"

// installed is the folder of the package after `make deps`, relative to the
// root of the repository.
const installed = "internal/local/azurite/node_modules/azurite"

// entry is the azurite-table program, relative to the folder of the package.
const entry = "dist/src/table/main.js"

// ErrNotInstalled reports that Azurite or node is missing on this machine. Its
// text names the remedy.
var ErrNotInstalled = errors.New("azurite is not installed: run make deps, or set " + PathVariable + " to the path of azurite-table")

// find returns the folder of the azurite package: the one in the environment,
// else the one of the repository that holds the working directory.
func find() (string, error) {
	if named := os.Getenv(PathVariable); named != "" {
		return packageFolder(named)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find azurite: %w", err)
	}
	for {
		if home := filepath.Join(dir, filepath.FromSlash(installed)); isPackage(home) {
			return home, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", ErrNotInstalled
		}
		dir = parent
	}
}

// packageFolder accepts the folder of the package, its azurite-table program,
// and the link to the program that npm creates.
func packageFolder(named string) (string, error) {
	path, err := filepath.Abs(named)
	if err != nil {
		return "", fmt.Errorf("%w: %s=%s: %w", ErrNotInstalled, PathVariable, named, err)
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("%w: %s=%s: %w", ErrNotInstalled, PathVariable, named, err)
	}
	home := strings.TrimSuffix(path, string(filepath.Separator)+filepath.FromSlash(entry))
	if !isPackage(home) {
		return "", fmt.Errorf("%w: %s=%s is neither the azurite package nor its azurite-table", ErrNotInstalled, PathVariable, named)
	}
	return home, nil
}

func isPackage(home string) bool {
	info, err := os.Stat(filepath.Join(home, filepath.FromSlash(entry)))
	return err == nil && info.Mode().IsRegular()
}
