package armsim

import (
	"net/http"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
)

// restoreCriteria selects what is restored.
type restoreCriteria struct {
	ObjectType string `json:"objectType"`
	// of ranges
	Min string `json:"minMatchingValue"`
	Max string `json:"maxMatchingValue"`
	// of paths
	ItemPath string `json:"itemPath"`
	Relative *bool  `json:"isPathRelativeToBackupItem"`
	RenameTo string `json:"renameTo"`
	// of clusters
	ClusterScope   *bool  `json:"includeClusterScopeResources"`
	StagingGroup   string `json:"stagingResourceGroupId"`
	StagingAccount string `json:"stagingStorageAccountId"`
}

// wayTo returns the way to restore that a request describes.
func wayTo(k kinds.Kind, b *restoreBody) (kinds.Restore, bool) {
	criteria := ""
	if len(b.Target.Criteria) > 0 {
		criteria = b.Target.Criteria[0].ObjectType
	}
	for _, r := range k.Restores {
		if r.Store == b.SourceDataStoreType && r.TargetObject == b.Target.ObjectType && r.Criteria == criteria && r.ByTime == (b.ObjectType == timeRestoreRequest) {
			return r, true
		}
	}
	return kinds.Restore{}, false
}

// checkPoint checks the recovery point of a request, or the time of a
// continuous backup.
func (p *restorePlan) checkPoint(c *call, prefix string) *armError {
	b := p.body
	switch b.ObjectType {
	case timeRestoreRequest:
		at, err := time.Parse(time.RFC3339Nano, b.RecoveryPointTime)
		from, to := p.instance.window(c.now)
		switch {
		case err != nil:
			return invalidField(prefix+"recoveryPointTime", "%q is not a time", b.RecoveryPointTime)
		case !p.instance.continuous():
			return invalidField(prefix+"objectType", "the instance has recovery points")
		case at.Before(from.Truncate(time.Second)) || at.After(to):
			return invalidField(prefix+"recoveryPointTime", "%q is not restorable", b.RecoveryPointTime)
		}
		p.at = at
		return nil
	case pointRestoreRequest, rehydrateRestoreRequest:
	default:
		return invalidField(prefix+"objectType", "%q is none of %s, %s, %s", b.ObjectType, pointRestoreRequest, timeRestoreRequest, rehydrateRestoreRequest)
	}
	if b.RecoveryPointID == "" {
		return invalidField(prefix+"recoveryPointId", "it is missing")
	}
	if p.point = p.instance.point(b.RecoveryPointID); p.point == nil {
		return invalidField(prefix+"recoveryPointId", "the backup instance has no recovery point %q", b.RecoveryPointID)
	}
	return nil
}

// checkTarget checks a disk, an account or a cluster.
func (p *restorePlan) checkTarget(at string) *armError {
	t, kind := p.body.Target, p.instance.source.kind
	d := t.DatasourceInfo
	if d == nil {
		return invalidField(at+"datasourceInfo", "it is missing")
	}
	r, err := resourceid.Parse(d.ResourceID)
	switch {
	case !strings.EqualFold(d.DatasourceType, kind.Type):
		return invalidField(at+"datasourceInfo.datasourceType", "%q is not %s", d.DatasourceType, kind.Type)
	case !strings.EqualFold(d.ResourceType, kind.ResourceType):
		return invalidField(at+"datasourceInfo.resourceType", "%q is not %s", d.ResourceType, kind.ResourceType)
	case err != nil || !strings.EqualFold(r.ResourceType.String(), kind.SourceType):
		return invalidField(at+"datasourceInfo.resourceID", "%q is not the ID of a %s", d.ResourceID, kind.Name)
	case p.way.InPlace && !sameID(d.ResourceID, p.instance.source.id):
		return invalidField(at+"datasourceInfo.resourceID", "a continuous backup is restored in place")
	case p.way.TargetSet && (t.DatasourceSetInfo == nil || !sameID(t.DatasourceSetInfo.ResourceID, d.ResourceID)):
		return invalidField(at+"datasourceSetInfo", "it has to be the target")
	}
	p.destination = d.ResourceID
	return p.checkCriteria(at + "restoreCriteria")
}

// checkCriteria checks what the request selects.
func (p *restorePlan) checkCriteria(at string) *armError {
	kubernetes := p.way.Target == kinds.TargetCluster
	if kubernetes && len(p.body.Target.Criteria) != 1 {
		return invalidField(at, "a cluster needs exactly one")
	}
	for _, x := range p.body.Target.Criteria {
		switch {
		case x.ObjectType != p.way.Criteria:
			return invalidField(at+".objectType", "%q is not %s", x.ObjectType, p.way.Criteria)
		case kubernetes && x.ClusterScope == nil:
			return invalidField(at+".includeClusterScopeResources", "it is missing")
		case kubernetes && (x.StagingGroup == "") != (x.StagingAccount == ""):
			return invalidField(at+".stagingResourceGroupId", "both staging fields belong together")
		case !kubernetes && x.ItemPath == "" && (x.Min == "" || x.Min >= x.Max):
			return invalidField(at+".minMatchingValue", "%q is not less than %q", x.Min, x.Max)
		case x.ItemPath != "" && x.RenameTo != "":
			p.newContainers = append(p.newContainers, x.RenameTo)
		case x.ItemPath != "":
			p.newContainers = append(p.newContainers, x.ItemPath)
		}
	}
	return nil
}

// findRestorableTimeRanges answers POST findRestorableTimeRanges of a continuous
// backup. Recorded: one time without the other is answered with 500, although
// the request is at fault; an inverted range with 400; and a range outside of
// the retention with one whose end precedes its start.
func (s *Simulator) findRestorableTimeRanges(c *call) (answer, *armError) {
	var b struct {
		Store string `json:"sourceDataStoreType"`
		Start string `json:"startTime"`
		End   string `json:"endTime"`
	}
	if err := c.decodeShaped(shape{"sourceDataStoreType": nil, "startTime": nil, "endTime": nil}, &b); err != nil {
		return answer{}, err
	}
	i, missing := c.findInstance()
	if missing != nil {
		return answer{}, missing
	}
	from, to := i.window(c.now)
	if (b.Start == "") != (b.End == "") {
		return answer{}, &armError{status: http.StatusInternalServerError, code: "CloudInternalError", message: "Microsoft Azure Backup encountered an internal error."}
	}
	if b.Start != "" {
		start, errStart := time.Parse(time.RFC3339Nano, b.Start)
		end, errEnd := time.Parse(time.RFC3339Nano, b.End)
		if errStart != nil || errEnd != nil || end.Before(start) {
			return answer{}, newUserError("UserErrorInvalidRestorableTimeRange", "The time range is not valid.", "Correct the times.").rejection(http.StatusBadRequest)
		}
		if start.After(from) {
			from = start
		}
		if end.Before(to) {
			to = end
		}
	}
	ranges := []any{}
	if i.continuous() {
		ranges = append(ranges, map[string]any{
			"startTime": from.UTC().Format(azureTime), "endTime": to.UTC().Format(azureTime), "objectType": "RestorableTimeRange",
		})
	}
	return jsonAnswer(http.StatusOK, map[string]any{
		"id": i.name, "type": dataProtection + "/backupVaults/backupInstances/findRestorableTimeRanges",
		"properties": map[string]any{"restorableTimeRanges": ranges, "objectType": "AzureBackupFindRestorableTimeRangesResponse"},
	}), nil
}
