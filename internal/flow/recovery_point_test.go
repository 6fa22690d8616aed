package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

const usablePoint = "11111111111111111111111111111111"

// withPoints returns the demo world whose database has these recovery points, and
// a usable one that is older than all.
func withPoints(points ...armsim.RecoveryPoint) armsim.World {
	w := armsim.DemoWorld()
	w.ProtectedDatasources[0].RecoveryPoints = append(points, armsim.RecoveryPoint{ID: usablePoint, Age: 100 * 24 * time.Hour})
	return w
}

func TestRestorePostgres_LatestSkipsUnusableRecoveryPoints(t *testing.T) {
	t.Parallel()
	past := morning().Add(-time.Hour).Format(time.RFC3339)
	for name, point := range map[string]armsim.RecoveryPoint{
		"invisible":            {StoreDetails: object{"visible": false}},
		"deleted":              {StoreDetails: object{"state": "DELETED"}},
		"expired":              {StoreDetails: object{"expiryTime": past}},
		"expired as a whole":   {Properties: object{"expiryTime": past}},
		"no longer rehydrated": {StoreDetails: object{"rehydrationStatus": "COMPLETED", "rehydrationExpiryTime": past}},
		"partial":              {Properties: object{"recoveryPointState": "Partial"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			point.ID, point.Age = "22222222222222222222222222222222", time.Hour
			for _, wanted := range []object{{"latest": true}, {"latestBefore": morning().Add(-time.Minute)}} {
				r, sim := simulated(t, withPoints(point))
				op := r.succeeds("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": wanted, "asFiles": asFiles("x")})
				require.Equal(t, usablePoint, sim.Restores()[0].RecoveryPoint)
				require.Equal(t, usablePoint, op.Learned["recoveryPointId"])
			}
			r, sim := simulated(t, withPoints(point))
			op := r.succeeds("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"id": point.ID}, "asFiles": asFiles("x")})
			require.Equal(t, point.ID, sim.Restores()[0].RecoveryPoint, "a named recovery point is restored whatever its state")
			require.Equal(t, "vault", op.Learned["recoveryPointTier"])
		})
	}
}

func TestRestorePostgres_LatestTakesSnapshotsWithoutStateOrExpiry(t *testing.T) {
	t.Parallel()
	const id = "33333333333333333333333333333333"
	r, sim := simulated(t, withPoints(armsim.RecoveryPoint{ID: id, Age: time.Hour, Properties: object{"recoveryPointState": nil}}))
	op := r.succeeds("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "asFiles": asFiles("x")})
	require.Equal(t, id, sim.Restores()[0].RecoveryPoint)
	at, err := time.Parse(time.RFC3339, op.Learned["recoveryPointTime"])
	require.NoError(t, err)
	require.WithinDuration(t, morning().Add(-time.Hour), at, time.Hour)
}

func TestRestorePostgres_FindsARecoveryPointByItsFriendlyName(t *testing.T) {
	t.Parallel()
	archive := func(name string) object {
		return object{
			"backupInstanceId": demoInstance, "recoveryPoint": object{"id": name}, "tier": "archive", "asFiles": asFiles("x"),
			"rehydration": object{"priority": "Standard", "retention": "P15D"},
		}
	}
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("restore-postgres", archive(armsim.DemoArchivePointName))
	require.Equal(t, armsim.DemoArchivePoint, sim.Restores()[0].RecoveryPoint)
	require.Equal(t, armsim.DemoArchivePoint, op.Learned["recoveryPointId"])
	require.Equal(t, "archive", op.Learned["recoveryPointTier"])

	failed := r.fails("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"id": armsim.DemoArchivePointName}, "asFiles": asFiles("x")})
	require.Contains(t, failed.Message, "is not in the vault tier")

	twice := armsim.RecoveryPoint{ID: "44444444444444444444444444444444", FriendlyName: "weekly", Age: time.Hour}
	again := twice
	again.ID = "55555555555555555555555555555555"
	r, sim = simulated(t, withPoints(twice, again))
	failed = r.fails("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"id": "Weekly"}, "asFiles": asFiles("x")})
	require.Contains(t, failed.Message, twice.ID+", "+again.ID)
	require.Empty(t, sim.Restores())
}
