package e2e

import (
	"flag"
	"math/rand/v2"
	"time"

	"azbackupflow/internal/local/fault"
)

var slow = flag.Bool("slow", false, "let the stand-ins take their time, at random, to find tests that are too early") //nolint:gochecknoglobals // a flag of the test binary

// late lets some requests take 10, 40 or 90 ms longer, before they take effect
// or before their answer, and then calls the hook. Whoever looks at once for
// what is still under way is found out.
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
