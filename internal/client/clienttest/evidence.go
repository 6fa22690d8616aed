package clienttest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/evidence"
)

// Prove stores the evidence of a drill of monthly-files that started at a time.
// change may change the evidence before its result is assessed.
func (a *API) Prove(t testing.TB, id, item string, at time.Time, change func(*evidence.Evidence)) archive.Document {
	t.Helper()
	e := evidence.Evidence{
		Version: evidence.Version, ID: id,
		Drill:   evidence.Drill{Name: "monthly-files", Run: at.Format("2006-01-02T15:04"), ConfigurationDigest: "sha256:" + strings.Repeat("0a", 32)},
		Item:    evidence.Item{ID: demoVault + "/items/" + item, VaultID: demoVault, Type: "AzureFileShare", Name: item},
		Point:   &evidence.Point{ID: "1", Time: at.Add(-time.Hour), Rule: "latest"},
		Target:  &evidence.Target{ID: "/shares/drill-" + id},
		Started: at, Ended: at.Add(10 * time.Minute),
		Phases:       []evidence.Phase{{Name: evidence.Restore, Result: evidence.PhaseSucceeded, Started: at, Ended: at.Add(3 * time.Minute)}},
		Checks:       []evidence.Check{{Name: "files", Result: evidence.CheckPassed, Found: "1200 files, 3 GiB", NotChecked: "the content of the files"}},
		Validation:   evidence.Validation{Result: evidence.NotRequested},
		NotValidated: []string{},
	}
	if change != nil {
		change(&e)
	}
	e, err := evidence.Assess(e)
	require.NoError(t, err)
	doc, created, err := a.Evidence.Write(t.Context(), e, 400*24*time.Hour)
	require.NoError(t, err)
	require.True(t, created)
	return doc
}
