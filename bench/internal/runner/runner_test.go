package runner_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/bench/internal/contestant"
	"azbackupflow/bench/internal/runner"
	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/local/azurite"
)

func TestRun_EveryContestantFinishesItsOperations(t *testing.T) {
	t.Parallel()
	programs := t.TempDir()
	require.NoError(t, runner.Build(t.Context(), "../..", programs))
	versions, err := runner.Versions(programs)
	require.NoError(t, err)
	for _, c := range contestant.All() {
		require.True(t, c.Ours || versions[c.Engine] != "", "the version of %s", c.Engine)
	}
	servers, err := filepath.Glob("../../engines/restate/node_modules/@restatedev/restate-server-*/bin/restate-server")
	require.NoError(t, err)
	installed := len(servers) > 0
	for _, c := range contestant.All() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if c.Azure {
				tables, err := azurite.New(t.Context(), azurite.Config{})
				if err != nil {
					t.Skipf("Azurite does not start: %v", err)
				}
				require.NoError(t, tables.Stop())
			}
			if c.Program == "restate" && !installed {
				t.Skip("Restate is not installed; run make deps")
			}
			results, err := runner.Run(t.Context(), runner.Config{
				Contestants: []contestant.Contestant{c},
				Scenarios:   []work.Scenario{{Name: "few", Operations: 3, RetryAfter: 20 * time.Millisecond, Polls: 2}},
				Repeat:      1, Programs: programs, Limit: time.Minute, Now: time.Now, Progress: t.Output(),
			})
			require.NoError(t, err)
			require.Len(t, results, 1)
			r := results[0]
			require.Empty(t, r.Failure)
			require.Equal(t, 3, r.ARM.Starts)
			require.Zero(t, r.ARM.DuplicateStarts)
			require.NotEmpty(t, r.ARM.Lateness)
			if c.Ours { // The benchmark reports the early polls of others, and what these cost.
				require.Zero(t, r.ARM.Early)
				require.Len(t, r.ARM.Lateness, 3)
				require.LessOrEqual(t, r.ARM.MaxCalls, r.Scenario.Calls())
			}
			require.Positive(t, r.Usage.RSSPeak)
			require.Positive(t, r.Start)
			if c.Azure {
				require.Equal(t, 3, r.Usage.Cost.Accept.Invocations)
				require.LessOrEqual(t, r.Usage.Cost.Poll.MaxSends, 1)
			}
		})
	}
}

// The version of the server is in no Go module.
func TestSettings_NameTheInstalledVersionOfRestate(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../engines/restate/package.json")
	require.NoError(t, err)
	var manifest struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	require.NoError(t, json.Unmarshal(text, &manifest))
	for _, name := range []string{"restate", "restate-tuned"} {
		c, ok := contestant.Find(name)
		require.True(t, ok)
		require.Contains(t, c.Settings, "server "+manifest.Dependencies["@restatedev/restate-server"]+" ")
	}
}

func TestPercentile_IsTheSmallestValueThatCoversTheShare(t *testing.T) {
	t.Parallel()
	values := make([]float64, 100)
	for i := range values {
		values[i] = float64(i + 1)
	}
	for _, p := range []int{1, 50, 99, 100} {
		require.InDelta(t, p, runner.Percentile(values, p), 0)
	}
	require.InDelta(t, 7, runner.Percentile([]float64{7}, 99), 0)
	require.Zero(t, runner.Percentile(nil, 50))
}
