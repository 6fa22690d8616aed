package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"azbackupflow/bench/internal/work"
)

// waiting is a number of operations that Azure works on at the same time: their
// starts are spread over one Retry-After, so that polls come evenly, and each
// ends with its first poll, which keeps a run short. From a
// thousand on Retry-After is longer, and nearer to the 10 s that Azure asks for
// at least: with less, the stand-ins for Azure's services would be measured.
func waiting(operations int) work.Scenario {
	s := work.Scenario{Name: fmt.Sprintf("%d waiting", operations), Operations: operations, RetryAfter: 2 * time.Second, Polls: 1}
	if operations >= 1000 {
		s.RetryAfter = 8 * time.Second
	}
	s.Spread = s.RetryAfter
	return s
}

// flatOut is as many steps a second as an engine makes: more operations at once
// than it works on, and answers that ask for 10 ms.
func flatOut() work.Scenario {
	return work.Scenario{Name: "flat out", Operations: 40, RetryAfter: 10 * time.Millisecond, Polls: 10, ByCount: true}
}

func scenarios(ops string) ([]work.Scenario, error) {
	all := []work.Scenario{flatOut()}
	for field := range strings.SplitSeq(ops, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-ops: %q is not a number of operations", field)
		}
		all = append(all, waiting(n))
	}
	return all, nil
}
