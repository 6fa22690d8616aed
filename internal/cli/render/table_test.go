package render_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client/clienttest"
)

// printer returns a printer for a terminal of a width, and its output.
func printer(t *testing.T, columns int, c render.Config) (*render.Printer, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	c.Out, c.Err, c.Now, c.Columns = &out, &out, clienttest.Began, func() int { return columns }
	p, err := render.New(c)
	require.NoError(t, err)
	return p, &out
}

// widest returns the width of the widest line.
func widest(shown string) int { return text.LongestLineLen(shown) }

func TestColumns_FitEveryTerminal(t *testing.T) {
	t.Parallel()
	columns := []render.Column{
		{Heading: "ID"}, {Heading: "Status"}, {Heading: "Item", Min: 6, Middle: true}, {Heading: "生命", Min: 4, Drop: 1}, {Heading: "Why", Wrap: true, Min: 10},
	}
	rows := [][]string{
		{"f6xcxvhp", "\x1b[32mSucceeded\x1b[0m", "/subscriptions/s/resourceGroups/g/vaults/v", strings.Repeat("生命", 9), strings.Repeat("a reason ", 20)},
		{"a", "\x1b[36mRunning\x1b[0m", "x", "y", strings.Repeat("z", 150)},
	}
	for columnsOfTerminal := 30; columnsOfTerminal < 400; columnsOfTerminal++ {
		p, out := printer(t, columnsOfTerminal, render.Config{Color: true})
		p.Columns(columns, rows)
		require.LessOrEqual(t, widest(out.String()), columnsOfTerminal, out.String())
		if columnsOfTerminal >= 40 {
			require.Contains(t, out.String(), "f6xcxvhp", columnsOfTerminal)
		}
	}
	for _, c := range []render.Config{{Format: render.Wide}, {}} {
		width := 40
		if c.Format == "" {
			width = 0 // not a terminal
		}
		p, out := printer(t, width, c)
		p.Columns(columns, rows)
		for _, cell := range rows[0] {
			require.Contains(t, out.String(), strings.TrimSpace(cell), "shown in full")
		}
	}
}

func TestColumns_AreLeftOutByRank(t *testing.T) {
	t.Parallel()
	columns := []render.Column{{Heading: "A"}, {Heading: "B", Drop: 2}, {Heading: "C", Drop: 1}, {Heading: "D", Drop: 3}, {Heading: "E", OnlyWide: true}}
	row := []string{"aaaaaaaa", "bbbbbbbb", "cccccccc", "", "eeeeeeee"}
	for width, want := range map[int]string{60: "A B C", 28: "A B C", 27: "A C", 18: "A C", 17: "A", 4: "A…"} {
		p, out := printer(t, width, render.Config{})
		p.Columns(columns, [][]string{row})
		headings, _, _ := strings.Cut(out.String(), "\n")
		require.Equal(t, strings.TrimSuffix(want, "…"), strings.Join(strings.Fields(headings), " "), width)
	}
	p, out := printer(t, 10, render.Config{Format: render.Wide})
	p.Columns(columns, [][]string{row})
	require.Contains(t, out.String(), "eeeeeeee")
	require.NotContains(t, out.String(), "D", "an empty column is left out")
}

func TestFacts_FitEveryTerminal(t *testing.T) {
	t.Parallel()
	facts := []render.Fact{{Name: "Address", Value: "https://example.org/" + strings.Repeat("a", 150)}, {Name: "What", Value: strings.Repeat("words and ", 30)}}
	for columns := 30; columns < 200; columns++ {
		p, out := printer(t, columns, render.Config{})
		p.Facts(facts)
		require.LessOrEqual(t, widest(out.String()), columns)
	}
	p, out := printer(t, 0, render.Config{})
	p.Facts(facts)
	require.Contains(t, out.String(), facts[0].Value, "scripts find an address in one line")
}

func TestShortIDs_AreUnique(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"aaaaaaaa", "bbbbbbbbbc", "bbbbbbbbbd", "short", "aaaaaaaa"},
		render.ShortIDs([]string{"aaaaaaaaaa", "bbbbbbbbbccc", "bbbbbbbbbddd", "short", "aaaaaaaaaa"}))
	var ids []string
	for i := range 3000 {
		ids = append(ids, fmt.Sprintf("%026d", i*i))
	}
	seen := map[string]bool{}
	for i, short := range render.ShortIDs(ids) {
		require.True(t, strings.HasPrefix(ids[i], short))
		require.False(t, seen[short])
		seen[short] = true
	}
}

func TestReason_SaysWhyOrWhatFor(t *testing.T) {
	t.Parallel()
	failed := &api.Error{Code: "PolicyNotFound", Message: "no such policy\nin the vault"}
	for want, op := range map[string]api.Operation{
		"PolicyNotFound: no such policy":           {Status: api.Failed, Error: failed},
		"retrying after PolicyNotFound, attempt 3": {Status: api.Running, Error: failed, Attempts: 3},
		"Backup job of share (InProgress)":         {Status: api.Running, WaitingFor: "Backup job b0b2ed3d-c91b-4ac9-9b3a-1a8a9b2c3d4e of share (InProgress)"},
		"some files were open":                     {Status: api.SucceededWithWarnings, Warnings: []string{"some files were open"}},
		"":                                         {Status: api.Succeeded, Error: failed},
		"waits for operation x, which changes the item": {Status: api.Pending, WaitingFor: "waits for operation x, which changes the item"},
	} {
		require.Equal(t, want, render.Reason(op))
	}
}
