package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// outcome is the outcome of a mutant.
type outcome string

// The outcomes.
const (
	killed     outcome = "killed"
	survived   outcome = "survived"
	equivalent outcome = "equivalent"
	wrong      outcome = "wrong" // the mutant or its tests are not usable
	notRun     outcome = "not run"
)

// result is the outcome of one mutant.
type result struct {
	mutant
	outcome outcome
	detail  string
	took    time.Duration
}

// runner tests mutants in parallel.
type runner struct {
	root, folder string
	o            options
	out          io.Writer
	results      []result
	// baselines holds, for each run without a mutant, why its tests cannot judge
	// one.
	mu        sync.Mutex
	baselines map[testRun]func() string
}

func newRunner(root string, o options, out io.Writer) (*runner, error) {
	folder, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return nil, err
	}
	return &runner{root: root, folder: folder, o: o, out: out, baselines: map[testRun]func() string{}}, nil
}

func (r *runner) close() { _ = os.RemoveAll(r.folder) }

// runAll tests the mutants until the budget has passed.
func (r *runner) runAll(ctx context.Context, mutants []mutant) {
	ctx, cancel := context.WithTimeout(ctx, r.o.budget)
	defer cancel()
	r.results = make([]result, len(mutants))
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(1, r.o.workers) {
		workers.Go(func() {
			for n := range next {
				began := r.o.now()
				res := r.one(ctx, n, mutants[n])
				res.took = r.o.now().Sub(began)
				r.results[n] = res
				r.print(res)
			}
		})
	}
	for n := range mutants {
		next <- n
	}
	close(next)
	workers.Wait()
}

// one tests one mutant.
func (r *runner) one(ctx context.Context, n int, m mutant) result {
	overlay, err := r.overlay(n, m)
	if err != nil {
		return result{mutant: m, outcome: wrong, detail: err.Error()}
	}
	for _, pkg := range m.Tests {
		t := testRun{root: r.root, pkg: pkg, run: m.Run, all: m.Slow, timeout: r.o.testTimeout, jobs: max(1, runtime.GOMAXPROCS(0)/max(1, r.o.workers))}
		problem := r.baseline(ctx, t)
		if problem != "" && ctx.Err() == nil {
			return result{mutant: m, outcome: wrong, detail: problem}
		}
		t.overlay = overlay
		if o, detail := r.try(ctx, m, t); o != survived {
			return result{mutant: m, outcome: o, detail: detail}
		}
	}
	if m.Equivalent != "" {
		return result{mutant: m, outcome: equivalent, detail: m.Equivalent}
	}
	return result{mutant: m, outcome: survived}
}

// try runs the tests of one package against a mutant.
func (r *runner) try(ctx context.Context, m mutant, t testRun) (o outcome, detail string) {
	v, detail, err := t.do(ctx)
	switch {
	case err != nil:
		return wrong, err.Error()
	case v == unfinished:
		return notRun, "the budget had passed"
	case v == notBuilt:
		return wrong, "the changed code does not compile:\n" + detail
	case v == failed && m.Equivalent != "":
		return wrong, "declared equivalent, but killed by " + detail + "; remove `equivalent`"
	case v == failed && m.Survives != "":
		return wrong, "declared to survive, but killed by " + detail + "; remove `survives`"
	case v == failed:
		return killed, t.pkg + " " + detail
	}
	return survived, ""
}

// baseline runs the tests of the unchanged code, once for all mutants. It returns
// why they cannot judge a mutant.
func (r *runner) baseline(ctx context.Context, t testRun) string {
	r.mu.Lock()
	known := r.baselines[t]
	if known == nil {
		known = sync.OnceValue(func() string {
			v, detail, err := t.do(ctx)
			switch {
			case err != nil:
				return err.Error()
			case v == noTests:
				return fmt.Sprintf("no test of %s has a name that run %q selects; correct `run` or `tests`", t.pkg, t.run)
			case v == skipped:
				return fmt.Sprintf("the tests of %s that run %q selects skip themselves; install what they need with make deps", t.pkg, t.run)
			case v == failed, v == notBuilt:
				return fmt.Sprintf("the tests of %s fail without the mutant: %s", t.pkg, detail)
			}
			return ""
		})
		r.baselines[t] = known
	}
	r.mu.Unlock()
	return known()
}

// overlay writes the mutant's code and the overlay file for the compiler. It
// returns the name of that file.
func (r *runner) overlay(n int, m mutant) (string, error) {
	code := filepath.Join(r.folder, fmt.Sprint(n, ".go"))
	if err := os.WriteFile(code, m.code, 0o600); err != nil {
		return "", err
	}
	raw, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(r.root, m.path): code}})
	if err != nil {
		return "", err
	}
	file := filepath.Join(r.folder, fmt.Sprint(n, ".json"))
	return file, os.WriteFile(file, raw, 0o600)
}
