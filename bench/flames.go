package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"azbackupflow/bench/internal/flame"
)

// writeFlames draws each profile below a folder as flame graphs next to it.
func writeFlames(args []string) (err error) {
	flags := flag.NewFlagSet("bench flames", flag.ContinueOnError)
	folder := flags.String("in", "../.local/profiles", "folder with the profiles of a run with -profiles")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := os.OpenRoot(*folder)
	if err != nil {
		return fmt.Errorf("draw flame graphs: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	drawn := 0
	err = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		name, found := strings.CutSuffix(path, ".pprof")
		if err != nil || entry.IsDir() || !found {
			return err
		}
		profile, err := root.ReadFile(path)
		if err != nil {
			return err
		}
		svg, err := flame.Graph(name, profile)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		drawn++
		return root.WriteFile(name+".svg", svg, 0o600)
	})
	if err == nil && drawn == 0 {
		err = fmt.Errorf("%s has no profiles; run the benchmark with -profiles", *folder)
	}
	if err != nil {
		return fmt.Errorf("draw flame graphs: %w", err)
	}
	return nil
}
