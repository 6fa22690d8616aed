// Command cmd assembles the package that Azure Functions runs; see `make package`.
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
	flag.Parse()
	if err := run(cfg); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

func run(cfg packaging.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
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
