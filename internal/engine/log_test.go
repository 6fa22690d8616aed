package engine_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// line is a line of the engine's log.
type line struct{ Level, Msg, What, Status, Code, Class string }

// lines decodes a log.
func lines(t *testing.T, log *bytes.Buffer) (all []line) {
	t.Helper()
	for _, raw := range bytes.Split(bytes.TrimSpace(log.Bytes()), []byte("\n")) {
		var l line
		require.NoError(t, json.Unmarshal(raw, &l))
		all = append(all, l)
	}
	return all
}

// Alerts and the workbook read the lines of the level INFO.
func TestLog_RechecksThatFindNothingNewAreDebug(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	log := &bytes.Buffer{}
	r.log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.deploy()
	waiting := func(note string) operation.Outcome {
		return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: note}
	}
	for range 20 {
		r.azure.on("await", returns(waiting("job (InProgress)")))
	}
	r.azure.on("await", returns(waiting("job (Finalizing)")))
	r.azure.on("await", throttled(2*time.Minute))
	id := r.start()
	r.finish()
	r.requireSucceeded(id)

	levels, codes := map[string]map[string]int{}, 0
	for _, l := range lines(t, log) {
		if l.Msg != "operation saved" {
			continue
		}
		if levels[l.What] == nil {
			levels[l.What] = map[string]int{}
		}
		levels[l.What][l.Level]++
		if l.Class == string(operation.Throttled) {
			require.Equal(t, "INFO", l.Level, "the alert of throttled calls reads this line")
			codes++
		}
	}
	require.Equal(t, map[string]int{"INFO": 1, "DEBUG": 19}, levels["waiting: job (InProgress)"], "only the first one is news")
	require.Equal(t, map[string]int{"INFO": 1}, levels["waiting: job (Finalizing)"])
	require.Equal(t, 1, codes)
	for what, byLevel := range levels {
		if what != "waiting: job (InProgress)" {
			require.Zero(t, byLevel["DEBUG"], what)
		}
	}
}
