package e2e

import (
	"flag"
	"math/rand/v2"
	"time"

	"azbackupflow/internal/local/fault"
)

var slow = flag.Bool("slow", false, "delay the stand-ins at random, to find tests that check too early") // a flag of the test binary

// late delays some requests by 10, 40 or 90 ms, before they take effect or
// before their answer, and then calls the hook. A test that does not wait for
// its condition fails.
func late(hook fault.Hook) fault.Hook {
	if !*slow {
		return hook
	}
	return func(m fault.Moment, r fault.Request) {
		if n := rand.IntN(20); n < 4 && m != fault.After {
			<-time.After(time.Duration(n*n) * 10 * time.Millisecond)
		}
		hook.At(m, r)
	}
}
