package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"azbackupflow/bench/internal/work"
)

// waiting returns a scenario in which Azure works on a number of operations at the
// same time. Their starts are spread over one Retry-After, so that the polls are
// evenly distributed. Each operation ends with its first poll, which keeps a run
// short. From 1,000 operations on, Retry-After is longer, closer to Azure's minimum
// of 10 s: a shorter one would measure the local replacements of Azure's services.
func waiting(operations int) work.Scenario {
	s := work.Scenario{Name: fmt.Sprintf("%d waiting", operations), Operations: operations, RetryAfter: 2 * time.Second, Polls: 1}
	if operations >= 1000 {
		s.RetryAfter = 8 * time.Second
	}
	s.Spread = s.RetryAfter
	return s
}

// flatOut returns a scenario that measures the throughput of an engine: more
// operations than it runs at the same time, with a Retry-After of 10 ms.
func flatOut() work.Scenario {
	return work.Scenario{Name: "flat out", Operations: 40, RetryAfter: 10 * time.Millisecond, Polls: 10, ByCount: true}
}

// sequential returns the load that Microsoft publishes for Durable Functions: many
// operations of five steps that do nothing, as fast as possible.
func sequential(operations int) work.Scenario {
	return work.Scenario{Name: fmt.Sprintf("5 steps × %d", operations), Operations: operations, Sequential: 5}
}

func scenarios(ops string) ([]work.Scenario, error) {
	all := []work.Scenario{flatOut()}
	for field := range strings.SplitSeq(ops, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-ops: %q is not a positive number of operations", field)
		}
		all = append(all, waiting(n))
	}
	return all, nil
}
