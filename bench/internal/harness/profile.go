package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// profile writes a CPU profile to the folder until the returned function is
// called, which also writes a profile of all allocations. Without a folder it
// does nothing.
func profile(folder string) (stop func() error, err error) {
	if folder == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(filepath.Join(folder, "cpu.pprof"))
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		if err := file.Close(); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		return writeAllocations(filepath.Join(folder, "allocations.pprof"))
	}, nil
}

// writeAllocations writes a profile of what was allocated since the process
// started, and of what is in use.
func writeAllocations(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	runtime.GC()
	if err := pprof.Lookup("allocs").WriteTo(file, 0); err != nil {
		return errors.Join(fmt.Errorf("profile: %w", err), file.Close())
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}
