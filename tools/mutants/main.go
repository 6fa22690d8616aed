// Command mutants shows whether the tests notice faults.
//
//	mutants [flags] <folder of the repository>
//
// A mutant is a change of one place in the code that breaks a rule of the
// product, such as a comparison turned around. The files in list/ declare them.
// For each mutant, the command runs the tests of its packages against the
// changed code. It uses "go test -overlay", so no file of the repository
// changes. A mutant whose tests fail is killed. One whose tests pass survived: a
// test is missing. A mutant that changes no behaviour is declared equivalent,
// with the reason.
//
// With -sample, the command runs as many mutants, chosen by -commit, and stops
// when -budget has passed.
//
// It exits with 1 if a mutant is stale, does not compile, or was killed against its
// declaration, or if less than 95 % of those that are not equivalent were killed. In
// a run of all mutants no survivor may be undeclared; a sample rounds the 5 % up to
// whole mutants. A mutant is stale if its text does not occur in its file exactly
// once. Every run checks all mutants for that.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"time"
)

// options are the flags of the command.
type options struct {
	root, list  string
	match       string
	sample      int
	commit      string
	budget      time.Duration
	workers     int
	verbose     bool
	testTimeout time.Duration
	// now is the clock for the report.
	now func() time.Time
}

// errFailed means that the report names mutants to repair or tests to write.
var errFailed = errors.New("the tests or the list of mutants need work; see above")

func main() {
	o := options{now: time.Now} //nolint:forbidigo // the only place where the program reads the real clock
	flag.StringVar(&o.list, "list", "", "Folder of the list files. (default tools/mutants/list of the repository)")
	flag.StringVar(&o.match, "match", "", "Run only mutants whose `FILE: FAULT` matches this regular expression.")
	flag.IntVar(&o.sample, "sample", 0, "Number of quick mutants to run; 0 runs all mutants.")
	flag.StringVar(&o.commit, "commit", "", "Text that chooses the sample, such as a commit ID.")
	flag.DurationVar(&o.budget, "budget", time.Hour, "Time after which the remaining mutants are not run.")
	flag.IntVar(&o.workers, "parallel", runtime.GOMAXPROCS(0), "Number of mutants to test at the same time.")
	flag.DurationVar(&o.testTimeout, "timeout", 2*time.Minute, "Time limit for the tests of one package.")
	flag.BoolVar(&o.verbose, "v", false, "Print killed mutants with the test that failed.")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: mutants [flags] <folder of the repository>")
		flag.PrintDefaults()
		os.Exit(2)
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
	}
	o.root = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o, os.Stdout)
	stop()
	switch {
	case errors.Is(err, errFailed):
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
}

// run checks the list, tests the chosen mutants, and writes the report.
func run(ctx context.Context, o options, out io.Writer) error {
	root, err := filepath.Abs(o.root)
	if err != nil {
		return err
	}
	if o.list == "" {
		o.list = filepath.Join(root, "tools", "mutants", "list")
	}
	all, err := readList(o.list)
	if err != nil {
		return err
	}
	match, err := regexp.Compile(o.match)
	if err != nil {
		return fmt.Errorf("-match: %w", err)
	}
	fresh, stale, err := apply(root, all)
	if err != nil {
		return err
	}
	for _, s := range stale {
		_, _ = fmt.Fprintln(out, s)
	}
	chosen := choose(fresh, match, o.sample, o.commit)
	r, err := newRunner(root, o, out)
	if err != nil {
		return err
	}
	defer r.close()
	r.runAll(ctx, chosen)
	return r.report(len(all), stale, o.sample == 0)
}
