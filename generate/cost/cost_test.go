package cost_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/generate/cost"
	"azbackupflow/generate/flows"
	"azbackupflow/internal/flow"
)

var update = flag.Bool("update", false, "write docs/cost.md")

func TestPage_MatchesTheCounts(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "cost.md")
	counted, err := cost.Read()
	require.NoError(t, err)
	require.NotEmpty(t, counted.Flows)
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(cost.Markdown(counted)), 0o600))
	}
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, cost.Markdown(counted), string(text))
}

// The end-to-end test counts what the definitions of the flows name.
func TestCounts_HoldEveryCountedExample(t *testing.T) {
	t.Parallel()
	definitions, err := flow.Definitions(flow.Config{Now: time.Now})
	require.NoError(t, err)
	examples, err := flows.Counted(definitions)
	require.NoError(t, err)
	counted, err := cost.Read()
	require.NoError(t, err)
	var want, got [][2]string
	counts := map[string]bool{}
	for _, e := range examples {
		want = append(want, [2]string{e.Definition.Name, e.Cost})
		counts[e.Definition.Name] = true
	}
	for _, f := range counted.Flows {
		got = append(got, [2]string{f.Name, f.What})
	}
	require.Equal(t, want, got, "run: make cost")
	for _, d := range definitions {
		require.True(t, counts[d.Name], "%s has no example with a Cost", d.Name)
	}
}

func TestMoney_IsCountsTimesPrices(t *testing.T) {
	t.Parallel()
	p := cost.Prices{
		Bus: cost.Price{Dollars: 1, Per: 10}, Table: cost.Price{Dollars: 2, Per: 100},
		Runs: cost.Price{Dollars: 3, Per: 1000}, Time: cost.Price{Dollars: 0.5, Per: 1},
		Telemetry: cost.Price{Dollars: 4, Per: 1000},
	}
	m := p.Of(cost.Counts{ARM: 99, Bus: 20, Table: 50, Runs: 4, Lines: 2, Bytes: 1000}, cost.LargeInstance)
	require.InDelta(t, 2, m.Bus, 1e-9)
	require.InDelta(t, 1, m.Table, 1e-9)
	require.InDelta(t, 0.012+4*cost.MinSeconds*cost.LargeInstance*0.5, m.Functions, 1e-9)
	require.InDelta(t, 4*(1000+6*cost.RecordBytes)/1000.0, m.Telemetry, 1e-9, "two lines and four executions are six records")
	require.InDelta(t, m.Bus+m.Table+m.Functions+m.Telemetry, m.Sum(), 1e-9)
	require.InDelta(t, m.Functions-0.012, 4*(p.Of(cost.Counts{Runs: 4}, cost.SmallInstance).Functions-0.012), 1e-9, "a quarter of the memory")
	require.Equal(t, cost.Counts{ARM: 3, Bus: 5, Table: 7, Runs: 9, Lines: 11, Bytes: 13},
		cost.Counts{ARM: 1, Bus: 1, Table: 1, Runs: 1, Lines: 1, Bytes: 1}.Plus(2, cost.Counts{ARM: 1, Bus: 2, Table: 3, Runs: 4, Lines: 5, Bytes: 6}))
}

func TestPrices_UseTheDeployedInstanceSize(t *testing.T) {
	t.Parallel()
	read := func(path ...string) string {
		raw, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "infra"}, path...)...))
		require.NoError(t, err)
		return string(raw)
	}
	found := regexp.MustCompile(`(?s)@allowed\(\[(\d+), (\d+), (\d+)\]\)\n[^\n]*\nparam instanceMemoryMB int = (\d+)`).FindStringSubmatch(read("main.bicep"))
	require.NotNil(t, found)
	megabytes := func(size float64) string { return strconv.Itoa(int(size * 1024)) }
	require.Equal(t, []string{megabytes(cost.SmallInstance), megabytes(cost.LargeInstance), megabytes(cost.HugeInstance), megabytes(cost.SmallInstance)}, found[1:])
	app := read("app", "function-app.bicep")
	require.Contains(t, app, "instanceMemoryMB: instanceMemoryMB")
	require.NotContains(t, app, "alwaysReady", "the page states that there are none")
}

// A re-check found nothing new: it must not cost a log line. At the price of the
// smallest instance it costs at most 30 % of what it cost on 2 GB.
func TestRecheck_IsCheap(t *testing.T) {
	t.Parallel()
	counted, err := cost.Read()
	require.NoError(t, err)
	require.Zero(t, counted.Recheck.Lines)
	p := cost.List()
	price := func(size float64) float64 {
		m := p.Of(counted.Recheck, size)
		return m.Bus + m.Table + m.Functions
	}
	require.LessOrEqual(t, price(cost.SmallInstance), 0.30*price(cost.LargeInstance))
}
