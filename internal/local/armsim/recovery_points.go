package armsim

import (
	"cmp"
	"maps"
	"net/http"
	"strings"
	"time"
)

// listRecoveryPoints answers GET recoveryPoints, oldest first: no order is
// documented.
func (s *Simulator) listRecoveryPoints(c *call) (answer, *armError) {
	i, missing := c.findInstance()
	if missing != nil {
		return answer{}, missing
	}
	f, err := parseFilter(c, "startDate", "endDate")
	if err != nil {
		return answer{}, invalidField("$filter", "%s", err.message)
	}
	from, err := f.date("startDate")
	if err != nil {
		return answer{}, err
	}
	to, err := f.date("endDate")
	if err != nil {
		return answer{}, err
	}
	var found []*recoveryPoint
	for _, r := range i.points {
		if (from.IsZero() || !r.time.Before(from)) && (to.IsZero() || !r.time.After(to)) {
			found = append(found, r)
		}
	}
	return page(s, c, found, func(r *recoveryPoint) map[string]any { return r.view(i) })
}

// date parses a date in the format of recovery point filters,
// 2021-10-21T16:31:16Z. It returns the zero time if there is none.
func (f filter) date(name string) (time.Time, *armError) {
	text, there := f[strings.ToLower(name)]
	if !there {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, invalidField("$filter", "%s %q is not a time such as 2021-10-21T16:31:16Z", name, text)
	}
	return t, nil
}

// readRecoveryPoint answers GET recoveryPoints/{r}.
func (s *Simulator) readRecoveryPoint(c *call) (answer, *armError) {
	i, missing := c.findInstance()
	if missing != nil {
		return answer{}, missing
	}
	r := i.point(c.path.names[2])
	if r == nil {
		return answer{}, c.notFound(3)
	}
	return jsonAnswer(http.StatusOK, r.view(i)), nil
}

func (i *instance) point(id string) *recoveryPoint {
	for _, r := range i.points {
		if strings.EqualFold(r.id, id) {
			return r
		}
	}
	return nil
}

// view returns a recovery point as recorded.
func (r *recoveryPoint) view(i *instance) map[string]any {
	at := r.time.UTC().Format(azureTime)
	store := map[string]any{
		"id": r.storeID, "type": r.store, "creationTime": at, "expiryTime": nil, "metaData": nil, "visible": true,
		"state": "COMMITTED", "rehydrationExpiryTime": nil, "rehydrationStatus": nil,
	}
	maps.Copy(store, r.storeDetails)
	properties := map[string]any{
		"objectType": "AzureBackupDiscreteRecoveryPoint", "recoveryPointId": r.id, "recoveryPointTime": at,
		"recoveryPointType": "Full", "friendlyName": cmp.Or(r.friendlyName, r.id),
		"recoveryPointDataStoresDetails": []any{store},
		"retentionTagName":               defaultRetention, "retentionTagVersion": "638549851154062729", "policyName": r.policy,
		"policyVersion": nil, "expiryTime": nil, "recoveryPointState": "Completed",
	}
	if r.store == operationalStore {
		properties["recoveryPointType"], properties["recoveryPointState"] = "Incremental", nil // recorded
	}
	maps.Copy(properties, r.properties)
	return map[string]any{
		"id": i.id() + "/recoveryPoints/" + r.id, "name": r.id,
		"type":       dataProtection + "/backupVaults/backupInstances/recoveryPoints",
		"properties": properties,
	}
}
