package packaging

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/drill"
	"azbackupflow/internal/schedule"
)

// checkDeclarations returns the names of the operator's files that exist, and an
// error for their problems. The app ignores an invalid entry, so a package with one
// must not be built. The app checks flows and parameters at its start, because its
// settings allow or forbid them.
func checkDeclarations(root string) (names []string, err error) {
	checks := map[string]func(raw []byte) error{
		schedule.FileName: func(raw []byte) error {
			_, err := schedule.Parse(schedule.FileName, raw, nil)
			return err
		},
		drill.FileName: func(raw []byte) error {
			_, err := drill.Parse(drill.FileName, raw)
			return err
		},
		autoprotect.FileName: func(raw []byte) error {
			_, err := autoprotect.Parse(autoprotect.FileName, raw, nil)
			return err
		},
	}
	var problems []error
	for _, name := range []string{autoprotect.FileName, drill.FileName, schedule.FileName} {
		raw, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		names = append(names, name)
		problems = append(problems, checks[name](raw))
	}
	return names, errors.Join(problems...)
}
