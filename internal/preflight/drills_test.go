package preflight_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
)

func TestCheck_NamesWhatTheEvidenceOfDrillsLacks(t *testing.T) {
	t.Parallel()
	denied := &operation.Error{Code: "Forbidden", Class: operation.UserAction, Message: "Key Vault answered HTTP 403 Forbidden", RecommendedAction: []string{"Assign the role."}}
	key := func(err error) func(context.Context) error { return func(context.Context) error { return err } }
	store := func(exists bool, err error) func(context.Context) (bool, error) {
		return func(context.Context) (bool, error) { return exists, err }
	}
	for name, c := range map[string]struct {
		evidence preflight.Evidence
		ok       bool
		want     *preflight.Finding
	}{
		"complete":          {preflight.Evidence{Key: key(nil), Store: store(true, nil)}, true, nil},
		"no key":            {preflight.Evidence{Store: store(true, nil)}, false, &preflight.Finding{Check: "setting", Subject: "AZBACKUPFLOW_EVIDENCE_KEY", Problem: "is empty, so no restore drill starts"}},
		"key denied":        {preflight.Evidence{Key: key(denied), Store: store(true, nil)}, false, &preflight.Finding{Check: "evidence", Subject: "AZBACKUPFLOW_EVIDENCE_KEY", Problem: denied.Error(), Do: "Assign the role."}},
		"file gone":         {preflight.Evidence{Key: key(errors.New("no such file")), Store: store(true, nil)}, false, &preflight.Finding{Check: "evidence", Subject: "AZBACKUPFLOW_EVIDENCE_KEY", Problem: "no such file"}},
		"no container yet":  {preflight.Evidence{Key: key(nil), Store: store(false, nil)}, true, &preflight.Finding{Check: "evidence", Subject: "container drill-evidence", NotChecked: true, Problem: "does not exist yet. The first evidence creates it, if the app has the permission"}},
		"store unavailable": {preflight.Evidence{Key: key(nil), Store: store(false, errors.New("no route"))}, false, &preflight.Finding{Check: "evidence", Subject: "container drill-evidence", Problem: "no route"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			c.evidence.Container = "drill-evidence"
			s.cfg.Evidence = &c.evidence
			report := s.check(t)
			require.Equal(t, c.ok, report.OK)
			found := wrong(report)
			if c.want == nil {
				require.Empty(t, found)
				require.Contains(t, report.Findings, preflight.Finding{Check: "evidence", Subject: "AZBACKUPFLOW_EVIDENCE_KEY", OK: true})
				require.Contains(t, report.Findings, preflight.Finding{Check: "evidence", Subject: "container drill-evidence", OK: true})
				return
			}
			require.Len(t, found, 1)
			require.NotEmpty(t, found[0].Do)
			if c.want.Do == "" {
				c.want.Do = found[0].Do
			}
			require.Equal(t, *c.want, found[0])
		})
	}
}

func TestCheck_NamesSkippedDrills(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.SkippedDrills = []preflight.SkippedDrill{{Name: "monthly-files", Problem: "parameters.target.storageAccountId: x is not an allowed drill target"}}
	report := s.check(t)
	require.False(t, report.OK)
	found := wrong(report)
	require.Len(t, found, 1)
	require.Equal(t, []string{"drills", "monthly-files"}, []string{found[0].Check, found[0].Subject})
	require.Contains(t, found[0].Problem, "is not an allowed drill target")
	require.Contains(t, found[0].Do, "azbackupflow drills check")
}
