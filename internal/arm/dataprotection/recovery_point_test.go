package dataprotection

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRecoveryPoint_Usable(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	past, future := now.Add(-time.Second), now.Add(time.Second)
	for name, c := range map[string]struct {
		change func(*RecoveryPoint, *DataStore)
		usable bool
	}{
		"as Learn shows it":          {func(p *RecoveryPoint, d *DataStore) { d.State, d.ExpiryTime = "COMMITTED", future }, true},
		"a snapshot without a state": {func(p *RecoveryPoint, _ *DataStore) { p.State = "" }, true},
		"completed":                  {func(p *RecoveryPoint, _ *DataStore) { p.State = "completed" }, true},
		"partial":                    {func(p *RecoveryPoint, _ *DataStore) { p.State = "Partial" }, false},
		"an unknown state":           {func(p *RecoveryPoint, _ *DataStore) { p.State = "Whatever" }, false},
		"in another store":           {func(_ *RecoveryPoint, d *DataStore) { d.Type = StoreOperational }, false},
		"hidden":                     {func(_ *RecoveryPoint, d *DataStore) { d.Hidden = true }, false},
		"deleted":                    {func(_ *RecoveryPoint, d *DataStore) { d.State = "DELETED" }, false},
		"being deleted":              {func(_ *RecoveryPoint, d *DataStore) { d.State = "Delete_In_Progress" }, false},
		"expired in the store":       {func(_ *RecoveryPoint, d *DataStore) { d.ExpiryTime = past }, false},
		"expires now":                {func(_ *RecoveryPoint, d *DataStore) { d.ExpiryTime = now }, false},
		"expired":                    {func(p *RecoveryPoint, _ *DataStore) { p.ExpiryTime = past }, false},
		"expires later":              {func(p *RecoveryPoint, _ *DataStore) { p.ExpiryTime = future }, true},
		"rehydrated": {func(_ *RecoveryPoint, d *DataStore) {
			d.RehydrationStatus, d.RehydrationExpiryTime = "COMPLETED", future
		}, true},
		"no longer rehydrated":      {func(_ *RecoveryPoint, d *DataStore) { d.RehydrationStatus, d.RehydrationExpiryTime = "COMPLETED", past }, false},
		"being rehydrated":          {func(_ *RecoveryPoint, d *DataStore) { d.RehydrationStatus = RehydrationInProgress }, false},
		"its copy was deleted":      {func(_ *RecoveryPoint, d *DataStore) { d.RehydrationStatus = "DELETED" }, false},
		"its copy is being deleted": {func(_ *RecoveryPoint, d *DataStore) { d.RehydrationStatus = "DELETE_IN_PROGRESS" }, false},
		"its rehydration failed":    {func(_ *RecoveryPoint, d *DataStore) { d.RehydrationStatus = "FAILED" }, false},
	} {
		d := DataStore{Type: StoreVault}
		p := RecoveryPoint{}
		c.change(&p, &d)
		p.DataStores = []DataStore{{Type: "Other"}, d}
		require.Equal(t, c.usable, p.Usable(StoreVault, now), name)
	}
	archived := RecoveryPoint{DataStores: []DataStore{{Type: StoreArchive, RehydrationStatus: "DELETED", RehydrationExpiryTime: past}}}
	require.True(t, archived.Usable(StoreArchive, now), "the archived original outlives its rehydrated copy")
}
