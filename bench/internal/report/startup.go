package report

import (
	"fmt"
	"time"

	"azbackupflow/bench/internal/work"
)

const (
	maxStart   = 50 * time.Millisecond
	maxArchive = 11.0 // MiB
)

// packageTargets evaluates the starts of the packaged program and the size of the
// package.
func packageTargets(s *work.Startup) []target {
	start := target{Want: fmt.Sprintf("start of the packaged program to its first answer within %d ms, as the median of its starts", maxStart.Milliseconds())}
	size := target{Want: fmt.Sprintf("package that is deployed of at most %.0f MiB", maxArchive)}
	if s == nil || len(s.Took) == 0 {
		return []target{notRun(start.Want), notRun(size.Want)}
	}
	median := s.Took[len(s.Took)/2]
	start.Measured = fmt.Sprintf("%.0f ms, the median of %d; %.0f ms to %.0f ms", inMillis(median), len(s.Took), inMillis(s.Took[0]), inMillis(s.Took[len(s.Took)-1]))
	if start.Met = median <= maxStart; !start.Met {
		start.Reason = fmt.Sprintf("Missed by %.1f ms, of which the load of the program, %.1f MiB, by the kernel and the runtime of Go is the largest part.", inMillis(median-maxStart), mebibytes(s.ProgramBytes))
	}
	size.Measured = fmt.Sprintf("%.1f MiB; the program in it has %.1f MiB", mebibytes(s.ArchiveBytes), mebibytes(s.ProgramBytes))
	if size.Met = mebibytes(s.ArchiveBytes) <= maxArchive; !size.Met {
		size.Reason = fmt.Sprintf("Missed by %.1f MiB, because the program or one of its libraries has grown.", mebibytes(s.ArchiveBytes)-maxArchive)
	}
	return []target{start, size}
}

// startConclusion reports how soon the program is ready.
func startConclusion(s *work.Startup) string {
	if s == nil || len(s.Took) == 0 {
		return ""
	}
	return fmt.Sprintf("**Start.** The packaged program answers %.0f ms after its start. The package has %.1f MiB.", inMillis(s.Took[len(s.Took)/2]), mebibytes(s.ArchiveBytes))
}

func inMillis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
