package armsim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// itemPoint is a recovery point of a protected item.
type itemPoint struct {
	// name has only digits, as in the recordings.
	name string
	time time.Time
	// kind is the type of a database backup: Full, Differential, …
	kind string
	// archived means that only the archive tier has it.
	archived bool
}

// addPoint adds the recovery point of a completed backup. A log backup extends
// the range of points in time and has no recovery point of its own.
func (i *item) addPoint(at time.Time, backupType string) {
	switch backupType {
	case "Log":
		i.logEnd = at
		return
	case "", "CopyOnlyFull": // the list has no type of its own for copy-only backups; Full is a choice
		backupType = "Full"
	}
	// Azure's algorithm is not known. The names only need the same form and must be
	// stable.
	sum := sha256.Sum256([]byte(i.container.name + "/" + i.name + "/" + at.Format(time.RFC3339Nano)))
	const digits = 1_000_000_000_000_000
	name := fmt.Sprintf("%015d", binary.BigEndian.Uint64(sum[:8])%digits)
	i.points = append(i.points, itemPoint{name: name, time: at, kind: backupType})
}

// findItemPoints returns the item that the path names. Azure's answer for a
// missing item was recorded for a read of the item.
func (c *call) findItemPoints() (*item, *armError) {
	_, i := c.findItem()
	if i == nil {
		return nil, itemNotFound()
	}
	return i, nil
}

// listItemRecoveryPoints answers GET recoveryPoints of a protected item, newest
// first: the order is a choice.
func (s *Simulator) listItemRecoveryPoints(c *call) (answer, *armError) {
	i, missing := c.findItemPoints()
	if missing != nil {
		return answer{}, missing
	}
	f, err := parseFilter(c, "startDate", "endDate", "restorePointQueryType", "extendedInfo")
	if err != nil {
		return answer{}, err
	}
	from, hasFrom, err := f.time("startDate")
	if err != nil {
		return answer{}, err
	}
	to, hasTo, err := f.time("endDate")
	if err != nil {
		return answer{}, err
	}
	var found []itemPoint
	for n := range i.points {
		p := i.points[len(i.points)-1-n]
		// The filter has whole seconds; recovery points have fractions.
		at := p.time.Truncate(time.Second)
		if hasFrom && at.Before(from) || hasTo && at.After(to) || !f.isPointKind(p.kind) {
			continue
		}
		found = append(found, p)
	}
	if i.workload != fileShare && i.workload != virtualMachine && f.isPointKind("Log") {
		found = append(found, itemPoint{name: rangePoint, kind: "Log"}) // recorded, even without a backup
	}
	return page(s, c, found, i.pointView)
}

// isPointKind reports whether a type of recovery point passes the filter
// restorePointQueryType.
func (f filter) isPointKind(kind string) bool {
	switch want := f[strings.ToLower("restorePointQueryType")]; {
	case want == "", strings.EqualFold(want, "All"):
		return true
	case strings.EqualFold(want, "FullAndDifferential"):
		return kind == "Full" || kind == "Differential"
	default:
		return strings.EqualFold(want, kind)
	}
}

// readItemRecoveryPoint answers GET recoveryPoints/{r} of a protected item.
func (s *Simulator) readItemRecoveryPoint(c *call) (answer, *armError) {
	i, missing := c.findItemPoints()
	if missing != nil {
		return answer{}, missing
	}
	for _, p := range i.points {
		if p.name == c.path.names[4] {
			return jsonAnswer(http.StatusOK, i.detailedPoint(p)), nil
		}
	}
	return answer{}, &armError{ // a choice
		status: http.StatusNotFound, code: "BMSUserErrorObjectNotFound", target: "recoveryPointId",
		message: "The recovery point '" + c.path.names[4] + "' of the item was not found.",
	}
}

// detailedPoint returns a recovery point as a single read does: that of a SQL
// database has its files.
func (i *item) detailedPoint(p itemPoint) map[string]any {
	v := i.pointView(p)
	properties, ok := v["properties"].(map[string]any)
	if !ok || i.workload != sqlDatabase {
		return v
	}
	properties["extendedInfo"] = map[string]any{
		"dataDirectoryTimeInUTC": p.time.UTC().Format(time.RFC3339),
		"dataDirectoryPaths": []any{
			map[string]any{"type": "Data", "path": dataDirectory(i.parent) + i.friendly + ".mdf", "logicalName": i.friendly},
			map[string]any{"type": "Log", "path": dataDirectory(i.parent) + i.friendly + "_log.ldf", "logicalName": i.friendly + "_log"},
		},
	}
	return v
}

// rangeView returns the properties of the entry of the log chain.
func (i *item) rangeView() map[string]any {
	objectType, ranges := "AzureWorkloadSQLPointInTimeRecoveryPoint", []any{}
	if i.workload == hanaDatabase {
		objectType = "AzureWorkloadSAPHanaPointInTimeRecoveryPoint"
	}
	if !i.logEnd.IsZero() && len(i.points) > 0 {
		ranges = append(ranges, map[string]any{
			"startTime": i.points[0].time.UTC().Format(time.RFC3339), "endTime": i.logEnd.UTC().Format(time.RFC3339),
		})
	}
	return map[string]any{"objectType": objectType, "timeRanges": ranges, "type": "Log"}
}

// pointView returns a recovery point as recorded for each workload. Recovery
// points of shares and databases have whole seconds.
func (i *item) pointView(p itemPoint) map[string]any {
	at := p.time.UTC().Format(time.RFC3339)
	var properties map[string]any
	switch i.workload {
	case virtualMachine:
		properties = i.machinePoint(p)
	case sqlDatabase, hanaDatabase:
		objectType := "AzureWorkloadSQLRecoveryPoint"
		if i.workload == hanaDatabase {
			objectType = "AzureWorkloadSAPHanaRecoveryPoint"
		}
		properties = map[string]any{"objectType": objectType, "recoveryPointTimeInUTC": at, "type": p.kind}
		if p.archived {
			properties["recoveryPointTierDetails"] = p.tiers()
		}
		if p.name == rangePoint {
			properties = i.rangeView()
		}
	case fileShare:
		properties = map[string]any{
			"objectType": "AzureFileShareRecoveryPoint", "recoveryPointType": "FileSystemConsistent", "recoveryPointTime": at,
			"fileShareSnapshotUri": "https://" + i.container.friendly + ".file.core.windows.net/" + i.friendly +
				"?sharesnapshot=" + p.time.UTC().Format("2006-01-02T15:04:05.0000000Z"),
			"recoveryPointSizeInGB":    0,
			"recoveryPointTierDetails": []any{map[string]any{"type": "InstantRP", "status": "Valid"}},
		}
	}
	return map[string]any{
		"id": i.id() + "/recoveryPoints/" + p.name, "name": p.name,
		"type":       "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints",
		"properties": properties,
	}
}

// machinePoint returns the properties of a virtual machine's recovery point.
// The machine is the recorded one.
func (i *item) machinePoint(p itemPoint) map[string]any {
	properties := map[string]any{
		"objectType": "IaasVMRecoveryPoint", "recoveryPointType": "AppConsistent",
		"recoveryPointTime": p.time.UTC().Format(azureTime), "recoveryPointAdditionalInfo": "",
		"sourceVMStorageType": "PremiumVMOnPartialPremiumStorage", "isSourceVMEncrypted": false,
		"isInstantIlrSessionActive": false,
		"recoveryPointTierDetails": p.tiers(
			map[string]any{"type": "InstantRP", "status": "Valid"}, map[string]any{"type": "HardenedRP", "status": "Valid"},
		),
		"isManagedVirtualMachine": true, "virtualMachineSize": "Standard_DS1_v2", "originalStorageAccountOption": false,
		"osType": "Windows",
		"recoveryPointMoveReadinessInfo": map[string]any{"ArchivedRP": map[string]any{
			"isReadyForMove": false,
			"additionalInfo": "We're still determining if this Recovery Point can be moved.. Please check again after some time.",
		}},
		"securityType": "None", "isPrivateAccessEnabledOnAnyDisk": false, "createdWithPolicyType": "V1", "threatStatus": 0,
	}
	if i.dataDisks() > 0 {
		properties["recoveryPointDiskConfiguration"] = i.diskConfiguration()
	}
	return properties
}
