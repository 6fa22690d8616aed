package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"azbackupflow/bench/internal/flame"
)

// writeFlames draws each profile below a folder as flame graphs next to it.
func writeFlames(args []string) error {
	flags := flag.NewFlagSet("bench flames", flag.ContinueOnError)
	folder := flags.String("in", "../.local/profiles", "folder with the profiles of a run with -profiles")
	if err := flags.Parse(args); err != nil {
		return err
	}
	drawn := 0
	err := filepath.WalkDir(*folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".pprof") {
			return err
		}
		profile, err := os.ReadFile(path) //nolint:gosec // G304: the folder is the caller's.
		if err != nil {
			return err
		}
		svg, err := flame.Graph(strings.TrimSuffix(strings.TrimPrefix(path, *folder), ".pprof"), profile)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		drawn++
		return os.WriteFile(strings.TrimSuffix(path, ".pprof")+".svg", svg, 0o600)
	})
	if err == nil && drawn == 0 {
		err = fmt.Errorf("%s has no profiles; run the benchmark with -profiles", *folder)
	}
	if err != nil {
		return fmt.Errorf("draw flame graphs: %w", err)
	}
	return nil
}
