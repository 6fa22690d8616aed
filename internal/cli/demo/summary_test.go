package demo

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

func TestSummary_FitsEveryTerminal(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	all := []summaryLine{
		newSummaryLine("file share testshare", api.Operation{ID: "a", Flow: "protect-file-share", Status: api.Succeeded, JobID: "b0b2ed3d-c91b-4ac9-9b3a-1a8a9b2c3d4e", CreatedAt: began}, render.Counter{Calls: 17}, began.Add(time.Minute)),
		{Flow: "restore-postgres", What: "empdb11, from archive, with a rather long description of it", Status: notStarted},
	}
	for _, width := range []int{60, 80, 120, 200} {
		for _, color := range []bool{false, true} {
			var out bytes.Buffer
			p, err := render.New(render.Config{Out: &out, Err: &out, Now: func() time.Time { return began }, Columns: func() int { return width }, Color: color})
			require.NoError(t, err)
			require.NoError(t, printSummary(p, all))
			for line := range strings.Lines(out.String()) {
				require.LessOrEqual(t, text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")), width, line)
			}
			require.Contains(t, out.String(), "1 of 2 operations Succeeded, with 17 ARM calls.")
			require.Contains(t, out.String(), "Succeeded", "a status is never shortened")
		}
	}
}
