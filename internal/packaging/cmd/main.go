// Command cmd assembles the package that Azure Functions runs; see `make package`. With
// the flag -release it writes the artefacts of a release; see `make snapshot`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"azbackupflow/internal/packaging"
)

func main() {
	var cfg packaging.Config
	flag.StringVar(&cfg.Root, "root", ".", "folder with host.json and functions/")
	flag.StringVar(&cfg.Folder, "folder", "dist", "folder to assemble, for the Functions host on this machine")
	flag.StringVar(&cfg.Archive, "archive", "dist.zip", "archive to write, for deployment")
	flag.StringVar(&cfg.Arch, "arch", "amd64", "processor that the archive is for: amd64, or arm64")
	flag.StringVar(&cfg.Version, "version", "dev", "version that the program reports")
	var releaseFolder, commit string
	flag.StringVar(&releaseFolder, "release", "", "folder for the artefacts of a release, instead of a package")
	flag.StringVar(&commit, "commit", "", "Git commit of the sources, for the provenance of a release")
	flag.Parse()
	if err := run(cfg, releaseFolder, commit); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

func run(cfg packaging.Config, releaseFolder, commit string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if releaseFolder != "" {
		names, err := packaging.Release(ctx, packaging.ReleaseConfig{Root: cfg.Root, Folder: releaseFolder, Version: cfg.Version, Commit: commit})
		if err != nil {
			return err
		}
		fmt.Printf("%s, version %s:\n  %s\n", releaseFolder, cfg.Version, strings.Join(names, "\n  "))
		return nil
	}
	made, err := packaging.Build(ctx, cfg)
	if err != nil {
		return err
	}
	const mib = 1 << 20
	fmt.Printf("%s (%s %.1f MiB), %s %.1f MiB, version %s: %s\n", cfg.Folder, made.Program,
		float64(made.ProgramBytes)/mib, cfg.Archive, float64(made.ArchiveBytes)/mib, cfg.Version,
		strings.Join(made.Functions, ", "))
	return nil
}
