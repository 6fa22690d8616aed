package azurite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// PathVariable names the environment variable that points at another Azurite
// than the one that `make deps` installs: the path of an azurite-table program,
// or of the folder of the azurite package.
const PathVariable = "AZBACKUPFLOW_AZURITE"

// installed is where `make deps` puts the package, from the repository's root.
const installed = "internal/local/azurite/node_modules/azurite"

// entry is the file that the azurite-table program is, from the package's folder.
const entry = "dist/src/table/main.js"

// ErrNotInstalled says that Azurite, or the node that runs it, is not on this
// machine. Its text says what to do.
var ErrNotInstalled = errors.New("azurite is not installed: run make deps, or set " + PathVariable + " to the path of azurite-table")

// find gives the folder of the azurite package: the one that the environment
// names, else the one of the repository that holds the working directory.
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

// packageFolder accepts the package's folder, its azurite-table program, and
// the link to it that npm makes in a folder of programs.
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
