package stack

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockFile is locked while a stack uses its folder. The lock ends with the process.
const lockFile = "lock"

// FolderInUseError is the error of a folder that another stack uses.
type FolderInUseError struct{ Dir string }

func (e *FolderInUseError) Error() string {
	return fmt.Sprintf("folder %s is used by another local stack; stop that one, or choose another folder", e.Dir)
}

// lockFolder reserves the folder of the tables: two stacks would overwrite each
// other's rows. An empty folder needs no lock. The result ends the lock.
func lockFolder(dir string) (unlock func() error, err error) {
	if dir == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make folder: %w", err) // it names the folder
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock folder %s: %w", dir, err)
	}
	if !locked {
		return nil, &FolderInUseError{Dir: dir}
	}
	return lock.Unlock, nil
}
