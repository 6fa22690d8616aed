package clienttest

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/archive"
	evidencememory "azbackupflow/internal/drill/archive/memory"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
)

// key signs the evidence of every test API. It is valid nowhere else.
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggOFVUb3nR/iDpqW/
jcLMi6y8e6W1u6ORZCxof5uOsWuhRANCAAQIIlEqlJdziMM/aYOTg2C2NWWK4iGx
gK4rGege4lEJvha0u7GIYVDzKGExOCxjfcLSmz4qptenaDB6E3f7EabP
-----END PRIVATE KEY-----
`

// ownKey signs with the key, unless the test removes it.
type ownKey struct {
	evidence.PrivateKey
	store   *evidenceStore
	removed atomic.Bool
}

// evidenceStore is a store that the test can break.
type evidenceStore struct {
	*evidencememory.Store
	broken atomic.Bool
}

// Folders implements archive.Store.
func (s *evidenceStore) Folders(ctx context.Context, prefix string) ([]string, error) {
	if s.broken.Load() {
		return nil, &operation.Error{Code: "EvidenceStoreUnavailable", Class: operation.Transient, Message: "the blob service did not answer"}
	}
	return s.Store.Folders(ctx, prefix)
}

// PublicKey returns the public key.
func (k *ownKey) PublicKey(ctx context.Context) (evidence.PublicKey, error) {
	if k.removed.Load() {
		return archive.NoKey{}.PublicKey(ctx)
	}
	return k.PrivateKey.PublicKey(ctx)
}

// RemoveEvidenceKey makes the app one without a key.
func (a *API) RemoveEvidenceKey() { a.signer.removed.Store(true) }

// ChangeEvidence changes a stored document, as someone with access to the storage
// account can.
func (a *API) ChangeEvidence(t testing.TB, id, from, to string) {
	t.Helper()
	doc, err := a.Evidence.Read(t.Context(), id)
	require.NoError(t, err)
	changed := strings.Replace(string(doc.File), from, to, 1)
	require.NotEqual(t, string(doc.File), changed)
	a.signer.store.Replace(archive.Object{Name: doc.Name, Content: []byte(changed)})
}

// BreakEvidence makes the archive of evidence unavailable.
func (a *API) BreakEvidence() { a.signer.store.broken.Store(true) }

func newEvidence(t testing.TB, now func() time.Time) (*archive.Archive, *ownKey) {
	t.Helper()
	parsed, err := evidence.ParsePrivateKey([]byte(key))
	require.NoError(t, err)
	signer := &ownKey{PrivateKey: parsed, store: &evidenceStore{Store: evidencememory.New()}}
	kept, err := archive.New(archive.Config{Store: signer.store, Signer: signer, Now: now})
	require.NoError(t, err)
	return kept, signer
}

// oneShare is the plan of the drill of every test API.
type oneShare struct{}

// Items implements schedule.Plan.
func (oneShare) Items(context.Context, string, func(schedule.Item) bool) ([]schedule.Item, int, error) {
	return []schedule.Item{{ID: demoVault + "/items/orders-eu", Name: "orders-eu"}}, 0, nil
}

// Parameters implements schedule.Plan.
func (oneShare) Parameters(string, schedule.Item) (json.RawMessage, error) {
	return Protect("", "testshare").Parameters, nil
}

const demoVault = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"

func (a *API) newDrills(t testing.TB) *schedule.Runner {
	t.Helper()
	timing, err := schedule.NewTiming("0 4 1 * *", "Europe/Berlin")
	require.NoError(t, err)
	runner, err := schedule.NewRunner(schedule.RunnerConfig{
		Kind: schedule.Drills,
		Schedules: []schedule.Schedule{{
			Kind: schedule.Drills, Name: "monthly-files", Timing: timing, Enabled: true, Missed: schedule.MissedOne, Overlap: schedule.OverlapSkip,
			Request: request.Request{Flow: Protect("", "").Flow, Parameters: json.RawMessage("{}")}, Plan: oneShare{},
			Select: &schedule.Selection{VaultID: demoVault, Type: "AzureFileShare"},
		}},
		Store: a.Store, Engine: a.Engine, Tenant: "test", Now: a.Clock.Now, SpeedFactor: 1,
		Reject: func(context.Context, time.Time, string, []byte, error) error { return nil }, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return runner
}
