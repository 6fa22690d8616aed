package main

import (
	"fmt"
	"strings"
	"time"
)

// print writes the line of one mutant. Killed ones are written with -v only.
func (r *runner) print(res result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if (res.outcome == killed || res.outcome == notRun) && !r.o.verbose {
		return
	}
	detail := strings.ReplaceAll(res.detail, "\n", "\n          ")
	switch {
	case res.outcome == survived && res.Survives != "":
		detail = "a test is missing: " + res.Survives
	case res.outcome == survived:
		detail = fmt.Sprintf("the tests of %s pass with %q instead of %q; write a test that fails", strings.Join(res.Tests, ", "), res.Replace, res.Find)
	}
	_, _ = fmt.Fprintf(r.out, "%-11s%s (%s)\n          %s\n", res.outcome, res.mutant, res.took.Round(100*time.Millisecond), detail)
}

// minShare is the share of mutants in percent that the tests must kill.
const minShare = 95

// report writes the summary. It returns errFailed if a mutant needs work, or if
// too few were run to tell.
func (r *runner) report(listed int, stale []staleMutant, complete bool) error {
	count := map[outcome]int{}
	unknown := 0 // survivors that the list does not name
	for _, res := range r.results {
		count[res.outcome]++
		if res.outcome == survived && res.Survives == "" {
			unknown++
		}
	}
	judged := count[killed] + count[survived]
	share := 0.0
	if judged > 0 {
		share = 100 * float64(count[killed]) / float64(judged)
	}
	_, _ = fmt.Fprintf(r.out, "%d mutants listed, %d chosen: %d killed, %d survived (%.1f %% of those not equivalent were killed), %d equivalent, %d wrong, %d stale, %d not run\n",
		listed, len(r.results), count[killed], count[survived], share, count[equivalent], count[wrong], len(stale), count[notRun])
	// A sample says little about a single mutant: it accepts survivors, rounded up
	// to a whole one.
	tooMany := complete && unknown > 0 || count[survived] > (judged*(100-minShare)+99)/100
	switch {
	case tooMany, count[wrong] > 0, len(stale) > 0, complete && share < minShare && judged > 0, complete && count[notRun] > 0, judged == 0 && count[equivalent] == 0:
		return errFailed
	}
	return nil
}
