package flow_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
)

// The durations of a drill have the syntax of all others. The operation, and so its
// evidence, holds them in ISO 8601.
func TestDrill_TakesEveryFormOfADuration(t *testing.T) {
	t.Parallel()
	flows, err := flow.New(flow.Config{Now: time.Now, Guardrails: flow.Guardrails{DrillTargets: []string{drillAccount}}})
	require.NoError(t, err)
	f, ok := flows.Newest("drill-restore")
	require.True(t, ok)
	check := func(restoreTime string) (string, error) {
		raw, err := json.Marshal(shareDrill(object{"objectives": object{"restoreTime": restoreTime}}))
		require.NoError(t, err)
		normalized, err := f.Check(raw)
		var p flow.DrillRestore
		require.NoError(t, json.Unmarshal(normalized, &p))
		return p.Objectives.RestoreTime, err
	}
	for text, want := range map[string]string{"4h": "PT4H", "PT240M": "PT4H", "1d": "P1D", "P1DT12H": "PT36H"} {
		got, err := check(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"30s", "soon", "P11Y", "4", "-PT4H"} {
		_, err := check(text)
		require.ErrorContains(t, err, "objectives.restoreTime", text)
		require.ErrorContains(t, err, "a duration from PT1M to P3660D", text)
	}
}
