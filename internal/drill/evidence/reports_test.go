package evidence_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/evidence"
)

// moved returns the sample as another drill: of another item and vault, and later.
func moved(t testing.TB, id, item, vault string, later time.Duration, change func(*evidence.Evidence)) evidence.Evidence {
	t.Helper()
	return assessed(t, func(e *evidence.Evidence) {
		e.ID, e.Item.ID, e.Item.VaultID = id, vault+"/items/"+item, vault
		e.Started, e.Ended, e.Point.Time = e.Started.Add(later), e.Ended.Add(later), e.Point.Time.Add(later)
		for i := range e.Phases {
			e.Phases[i].Started, e.Phases[i].Ended = e.Phases[i].Started.Add(later), e.Phases[i].Ended.Add(later)
		}
		change(e)
	})
}

func TestSummarize_CountsByMonthAndVault(t *testing.T) {
	t.Parallel()
	const month = 31 * 24 * time.Hour
	slow := func(e *evidence.Evidence) {
		e.Phases[2].Started, e.Objectives.RTO.Maximum = e.Phases[2].Started.Add(-time.Second), "PT1S"
	}
	got := evidence.Summarize([]evidence.Evidence{
		moved(t, "1", "a", "/b/vault", month, unchanged),
		moved(t, "2", "a", "/a/vault", 0, unchanged),
		moved(t, "3", "A", "/A/Vault", 0, slow),
		moved(t, "4", "b", "/a/vault", 0, func(e *evidence.Evidence) { e.Phases[5].Result = evidence.PhaseFailed }),
		moved(t, "5", "c", "/a/vault", 0, func(e *evidence.Evidence) { e.Validation = evidence.Validation{Result: evidence.TimedOut} }),
		moved(t, "6", "d", "/a/vault", 0, func(e *evidence.Evidence) { e.Phases = e.Phases[:1] }),
		moved(t, "7", "d", "/b/vault", 0, func(e *evidence.Evidence) { e.Phases = e.Phases[:1] }),
	})
	summary := func(month, vault string, items, drills, proven, missed, unvalidated, failed, cleanUps int, longest string) string {
		return fmt.Sprint(month, vault, items, drills, proven, missed, unvalidated, failed, cleanUps, longest)
	}
	var texts []string
	for _, s := range got {
		texts = append(texts, summary(s.Month, s.VaultID, s.Items, s.Drills, s.Proven, s.ObjectivesMissed, s.NotValidated, s.Failed, s.CleanUpsFailed, s.LongestRestore))
	}
	require.Equal(t, []string{
		summary("2026-11", "/a/vault", 4, 5, 2, 1, 1, 1, 1, "PT0H3M0S"),
		summary("2026-11", "/b/vault", 1, 1, 0, 0, 0, 1, 0, ""),
		summary("2026-12", "/b/vault", 1, 1, 1, 0, 0, 0, 0, "PT0H2M59S"),
	}, texts)
	require.Empty(t, evidence.Summarize(nil))
}

func TestWritePage_ShowsEverything(t *testing.T) {
	t.Parallel()
	page := func(e evidence.Evidence) string {
		var b strings.Builder
		require.NoError(t, evidence.WritePage(&b, evidence.Verified{Evidence: e, KeyID: "the-key"}))
		return b.String()
	}
	e := assessed(t, func(e *evidence.Evidence) {
		e.Objectives.RPO.Maximum = "PT29M"
		e.Phases[5].Result, e.Phases[5].Error = evidence.PhaseFailed, "403 AuthorizationFailed"
	})
	shown := page(e)
	for _, want := range []string{
		"Restore drill monthly-files: ObjectivesMissed</h1>", "orders-eu (AzureFileShare)<br>" + e.Item.ID, "<td>" + e.Item.VaultID + "</td>",
		"Tag team</th><td>files</td>", "2026-11-01 02:30:00 UTC (latest)<br>11002772696541", e.Target.ID, "2026-11-01T04:00",
		"2026-11-01 03:00:00 UTC, 2026-11-01 03:10:00 UTC",
		"<td>restore time (RTO)</td><td>PT4H</td><td>PT0H2M59S</td><td>yes</td>",
		"<td>age of the recovery point (RPO)</td><td>PT29M</td><td>PT0H30M0S</td><td>no</td>",
		"<td>Restore</td><td>Succeeded</td><td>2026-11-01 03:00:02</td><td>PT0H2M59S</td><td>job a8cc7a59-62b5-4c1b-be36-dc29e1772816<br>correlation 9a606b44",
		"<td>CleanUp</td><td>Failed: 403 AuthorizationFailed</td>",
		"<td>files</td><td>Passed</td><td>1200 files, 3 GiB</td><td>the content of the files</td>",
		"Successful by orders-pipeline at 2026-11-01 03:09:00 UTC: all orders of October can be read",
		"<li>access rights of the files</li>", "<td>5f2b7c</td>", e.Drill.ConfigurationDigest, "<td>the-key</td>", "This page is not signed.",
	} {
		require.Contains(t, shown, want)
	}
	require.NotContains(t, shown, "http", "the page loads nothing")

	shown = page(assessed(t, func(e *evidence.Evidence) {
		e.Phases, e.Checks, e.NotValidated = e.Phases[:1], nil, nil
		e.Point, e.Target, e.Validation = nil, nil, evidence.Validation{Result: evidence.NotReached}
	}))
	for _, want := range []string{"none was found", "no target was made", "(RTO)</td><td colspan=\"3\">not measured", "Nothing was checked.", "<p>NotReached</p>", "Nothing is listed."} {
		require.Contains(t, shown, want)
	}
	shown = page(assessed(t, func(e *evidence.Evidence) { e.Objectives = evidence.Objectives{} }))
	require.Contains(t, shown, "(RTO)</td><td>none</td><td>PT0H2M59S</td><td>no objective</td>")
}

// Names in Azure and texts of validators are not trusted.
func TestWritePage_EscapesText(t *testing.T) {
	t.Parallel()
	const script = "<script>alert(1)</script>"
	var b strings.Builder
	require.NoError(t, evidence.WritePage(&b, evidence.Verified{Evidence: assessed(t, func(e *evidence.Evidence) {
		e.Validation.Text, e.Item.Name, e.Item.Tags = script, script, map[string]string{script: script}
		e.NotValidated, e.Checks[0].Found = []string{script}, script
	})}))
	require.NotContains(t, b.String(), "<script")
	require.Equal(t, 6, strings.Count(b.String(), "&lt;script&gt;"))
}

// BenchmarkSummarize verifies and counts the drills of a month.
func BenchmarkSummarize(b *testing.B) {
	const drills = 200
	key, _, _ := newKey(b)
	files := make([][]byte, drills)
	for i := range files {
		var err error
		files[i], err = evidence.Sign(b.Context(), moved(b, fmt.Sprint(i), fmt.Sprint(i), fmt.Sprintf("/vault%d", i%20), 0, unchanged), key)
		require.NoError(b, err)
	}
	for b.Loop() {
		all := make([]evidence.Evidence, drills)
		for i, file := range files {
			v, err := evidence.Verify("drill.json", file, []evidence.PublicKey{key.Public})
			require.NoError(b, err)
			all[i] = v.Evidence
		}
		require.Len(b, evidence.Summarize(all), 20)
	}
}
