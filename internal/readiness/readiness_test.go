package readiness_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/readiness"
)

const day = 24 * time.Hour

func now() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

// drilled is a drill of an item, some days ago.
func drilled(item string, result evidence.Result, daysAgo int) evidence.Evidence {
	return evidence.Evidence{Item: evidence.Item{ID: item}, Started: now().AddDate(0, 0, -daysAgo), Result: result}
}

func TestAssess_CountsTheUnknownAgainstTheItem(t *testing.T) {
	t.Parallel()
	at := func(age time.Duration) *time.Time { p := now().Add(-age); return &p }
	for name, c := range map[string]struct {
		state   string
		point   *time.Time
		maxAge  time.Duration
		drills  []evidence.Evidence
		want    readiness.State
		reasons []string
	}{
		"proven":              {"Protected", nil, 0, []evidence.Evidence{drilled("/V/Item", evidence.Proven, 3)}, readiness.Proven, []string{"the newest drill is Proven"}},
		"instance":            {"ProtectionConfigured", nil, 0, []evidence.Evidence{drilled("/v/item/", evidence.Proven, 3)}, readiness.Proven, []string{"the newest drill is Proven"}},
		"point in time":       {"Protected", at(day), day, []evidence.Evidence{drilled("/v/item", evidence.Proven, 3)}, readiness.Proven, []string{"the newest drill is Proven"}},
		"point too old":       {"Protected", at(day + time.Second), day, []evidence.Evidence{drilled("/v/item", evidence.Proven, 3)}, readiness.ObjectivesMissed, []string{"the last recovery point is 24 hours old", "the newest drill is Proven"}},
		"point unknown":       {"Protected", nil, day, []evidence.Evidence{drilled("/v/item", evidence.Proven, 3)}, readiness.NotProven, []string{"the time of the last recovery point is unknown", "the newest drill is Proven"}},
		"no drill":            {"Protected", nil, 0, nil, readiness.NotProven, []string{"no evidence of a drill was given"}},
		"drill of another":    {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item2", evidence.Proven, 3)}, readiness.NotProven, []string{"no evidence of a drill was given"}},
		"proof too old":       {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.Proven, 366)}, readiness.NotProven, []string{"the newest drill started 366 days ago"}},
		"proof of the future": {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.Proven, -1)}, readiness.NotProven, []string{"the newest drill starts in the future"}},
		"failed since":        {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.Failed, 3), drilled("/v/item", evidence.Proven, 4)}, readiness.NotProven, []string{"the newest drill is Failed"}},
		"repaired since":      {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.Failed, 4), drilled("/v/item", evidence.Proven, 3)}, readiness.Proven, []string{"the newest drill is Proven"}},
		"not validated":       {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.NotValidated, 3)}, readiness.NotProven, []string{"the newest drill is NotValidated"}},
		"drill was slow":      {"Protected", nil, 0, []evidence.Evidence{drilled("/v/item", evidence.ObjectivesMissed, 3)}, readiness.ObjectivesMissed, []string{"the newest drill missed an objective"}},
		"stopped":             {"ProtectionStopped", at(2 * day), day, []evidence.Evidence{drilled("/v/item", evidence.Proven, 3)}, readiness.NotProtected, []string{"the protection state is ProtectionStopped", "the last recovery point is 2 days old", "the newest drill is Proven"}},
		"first backup":        {"IRPending", nil, 0, nil, readiness.NotProtected, []string{"the protection state is IRPending", "no evidence of a drill was given"}},
		"soft-deleted":        {"SoftDeleted", nil, 0, nil, readiness.NotProtected, []string{"the protection state is SoftDeleted", "no evidence of a drill was given"}},
		"no state":            {"", nil, 0, nil, readiness.NotProtected, []string{"Azure reports no protection state", "no evidence of a drill was given"}},
	} {
		a, err := readiness.New(readiness.Config{Now: now(), MaxProofAge: 365 * day, MaxPointAge: c.maxAge, Drills: c.drills})
		require.NoError(t, err)
		got := a.Assess("/v", api.InventoryEntry{ID: "/v/item", Name: "item", Type: "VM", State: c.state, LastRecoveryPoint: c.point})
		require.Equal(t, c.want, got.State, name)
		require.Equal(t, c.reasons, got.Reasons, name)
		require.Equal(t, c.point, got.LastRecoveryPoint, name)
	}
}

// Every item has exactly one state, also among many.
func TestCount_CountsEveryItemOnce(t *testing.T) {
	t.Parallel()
	states := []readiness.State{readiness.Proven, readiness.NotProven, readiness.ObjectivesMissed, readiness.NotProtected, readiness.Proven}
	items := make([]readiness.Item, 0, len(states))
	for _, s := range states {
		items = append(items, readiness.Item{State: s})
	}
	require.Equal(t, readiness.Score{VaultID: "/v", Items: 5, Proven: 2, NotProven: 1, ObjectivesMissed: 1, NotProtected: 1}, readiness.Count("/v", items))
	require.Equal(t, readiness.Score{VaultID: "/v"}, readiness.Count("/v", nil))
}

func TestNew_RejectsAnIncompleteConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []readiness.Config{{MaxProofAge: day}, {Now: now()}, {Now: now(), MaxProofAge: day, MaxPointAge: -1}} {
		_, err := readiness.New(c)
		require.Error(t, err)
	}
}
