// Command bench compares azbackupflow with other ways to wait for Azure.
//
//	bench [-ops 1000] [-repeat 2] [-sequential 5000] [-live 100000] [-ended 1000000] [-starts 20] [-out results/latest.json]
//	bench report [-in results/latest.json] [-docs ../docs]
//	bench flames [-in FOLDER]
//
// docs/performance.md explains the measurements.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"azbackupflow/bench/internal/contestant"
	"azbackupflow/bench/internal/growth"
	"azbackupflow/bench/internal/report"
	"azbackupflow/bench/internal/runner"
	"azbackupflow/bench/internal/startup"
	"azbackupflow/bench/internal/work"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// now returns the current time.
func now() time.Time {
	return time.Now() //nolint:forbidigo // The one place that reads the clock.
}

const results = "results/latest.json"

func command(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "report":
			return writeReport(args[1:])
		case "flames":
			return writeFlames(args[1:])
		}
	}
	return measure(ctx, args, os.Stdout)
}

func measure(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	ops := flags.String("ops", "1000", "numbers of operations that wait at the same time, separated by commas")
	repeat := flags.Int("repeat", 2, "number of runs of each contestant; the page shows their median")
	file := flags.String("out", results, "file to write the raw figures to")
	only := flags.String("contestants", "", "names of the contestants to run, separated by commas; empty for all")
	steps := flags.Int("sequential", 5000, "number of operations of five steps that do nothing; 0 for none")
	live := flags.Int("live", 100_000, "maximum number of live operations in memory, a tenth of it in Azurite; 0 for no growth")
	ended := flags.Int("ended", 1_000_000, "maximum number of ended operations in memory")
	starts := flags.Int("starts", 20, "number of starts of the packaged program; 0 for none")
	profiles := flags.String("profiles", "", "folder to write profiles of each contestant to; empty for none")
	limit := flags.Duration("limit", 30*time.Second, "maximum time of one run; a contestant that exceeds it is reported as not done")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown command %q; want report, or no command to measure", flags.Arg(0))
	}
	loads, err := scenarios(*ops)
	if err != nil {
		return err
	}
	if *steps > 0 {
		loads = append(loads, sequential(*steps))
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	run := work.Run{Machine: runner.Machine(), Began: now().UTC().Truncate(time.Second), Commit: commit(ctx)}
	programs, err := os.MkdirTemp("", "azbackupflow-bench-programs-")
	if err != nil {
		return fmt.Errorf("create a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(programs)) }()
	if err := runner.Build(ctx, ".", programs); err != nil {
		return err
	}
	if run.Versions, err = runner.Versions(programs); err != nil {
		return err
	}
	run.Results, err = runner.Run(ctx, runner.Config{
		Contestants: chosen, Scenarios: loads, Repeat: *repeat, Programs: programs,
		Limit: *limit, Now: now, Progress: out, Profiles: *profiles,
	})
	if err != nil {
		return err
	}
	if err := measureAlone(ctx, &run, growth.Config{Live: *live, Ended: *ended, Now: now, Progress: out}, *starts); err != nil {
		return err
	}
	run.Took = now().Sub(run.Began).Round(time.Second).String()
	return save(*file, run)
}

// measureAlone measures what has no other contestants: the growth, and the starts of
// the packaged program.
func measureAlone(ctx context.Context, run *work.Run, g growth.Config, starts int) (err error) {
	if g.Live > 0 {
		if run.Growth, err = growth.Measure(ctx, g); err != nil {
			return err
		}
	}
	if starts > 0 {
		s, err := startup.Measure(ctx, startup.Config{Root: "..", Starts: starts, Now: now})
		if err != nil {
			return err
		}
		run.Startup = &s
	}
	return nil
}

func choose(only string) ([]contestant.Contestant, error) {
	if only == "" {
		return contestant.All(), nil
	}
	names := strings.Split(only, ",")
	for _, name := range names {
		if _, ok := contestant.Find(name); !ok {
			return nil, fmt.Errorf("-contestants: unknown contestant %q", name)
		}
	}
	return slices.DeleteFunc(contestant.All(), func(c contestant.Contestant) bool { return !slices.Contains(names, c.Name) }), nil
}

// commit returns the newest commit that changes the product's code, or unknown
// outside a repository.
func commit(ctx context.Context) string {
	text, err := exec.CommandContext(ctx, "git", "log", "-1", "--abbrev=12", "--format=%h", "--", ":/internal", ":/go.mod").Output()
	if err != nil || len(text) == 0 {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

func save(file string, run work.Run) error {
	text, err := json.Marshal(run)
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

func writeReport(args []string) error {
	flags := flag.NewFlagSet("bench report", flag.ContinueOnError)
	file := flags.String("in", results, "file with the raw figures")
	docs := flags.String("docs", "../docs", "folder to write performance.md and its plots to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return fmt.Errorf("read the figures: %w", err)
	}
	var run work.Run
	if err := json.Unmarshal(text, &run); err != nil {
		return fmt.Errorf("read the figures of %s: %w", *file, err)
	}
	return report.Write(*docs, run)
}
