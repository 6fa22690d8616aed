package replay

import (
	"net/http"
	"regexp"
	"strings"
)

// neverPolled answers the poll of an operation that a recorded write started
// and that was never polled: it has succeeded.
func (s *Server) neverPolled(r *http.Request, id string, wantsStatus bool) answer {
	n, known := s.recording.startedBy[id]
	if !known || n > s.position {
		return s.mismatch(r, "", "no operation %s is recorded", id)
	}
	started := s.recording.all[n].header.Get("Date")
	if t, err := http.ParseTime(started); err == nil {
		started = t.UTC().Format("2006-01-02T15:04:05Z")
	}
	switch {
	case wantsStatus:
		return s.derived(map[string]any{
			"id": r.URL.Path, "name": lastPart(r.URL.Path), "status": "Succeeded", "startTime": started, "endTime": started,
		})
	case strings.Contains(strings.ToLower(r.URL.Path), "/microsoft.dataprotection/"):
		return s.derived(map[string]any{"objectType": "OperationJobExtendedInfo"})
	}
	return answer{status: http.StatusNoContent, header: http.Header{"Date": {s.date()}}}
}

// derived returns an answer that was not recorded.
func (s *Server) derived(v map[string]any) answer {
	a := jsonAnswer(http.StatusOK, v)
	a.header.Set("Date", s.date())
	return a
}

func lastPart(path string) string { return path[strings.LastIndex(path, "/")+1:] }

// derive answers reads of resources that recorded requests name but that were
// never read: a Backup vault, its policies, its soft-deleted instances and its
// resource guards (none: the vault is assumed to have neither), an instance that
// was only restored, the recovery points of an instance (none) and PostgreSQL
// flexible servers.
func (s *Server) derive(path string) (answer, bool) {
	const vault = `(?i)^(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.DataProtection/backupVaults/[^/]+)(/.*)?$`
	const server = `(?i)/providers/Microsoft\.DBforPostgreSQL/flexibleServers/[^/]+$`
	if regexp.MustCompile(server).MatchString(path) {
		if !s.recording.names(path) {
			return s.notFound(path), true
		}
		return s.derived(s.serverOf(path)), true
	}
	m := regexp.MustCompile(vault).FindStringSubmatch(path)
	if m == nil || !s.recording.names(m[1]) {
		return answer{}, false
	}
	id, below := m[1], strings.ToLower(m[2])
	switch {
	case below == "":
		return s.derived(s.vaultOf(id)), true
	case below == "/backuppolicies":
		value := []any{}
		for _, p := range s.recording.policies(id) {
			value = append(value, s.policyOf(p))
		}
		return s.derived(map[string]any{"value": value}), true
	case strings.HasPrefix(below, "/backuppolicies/") && s.recording.names(path):
		return s.derived(s.policyOf(path)), true
	case below == "/deletedbackupinstances", below == "/backupresourceguardproxies":
		return s.derived(map[string]any{"value": []any{}}), true
	case strings.HasPrefix(below, "/backupinstances/") && strings.HasSuffix(below, "/recoverypoints"):
		return s.derived(map[string]any{"value": []any{}}), true
	case strings.HasPrefix(below, "/backupinstances/") && strings.Count(below, "/") == 2 && s.recording.restores(path):
		return s.derived(s.instanceOf(path)), true
	case strings.HasPrefix(below, "/backuppolicies/"), strings.HasPrefix(below, "/deletedbackupinstances/"), strings.HasPrefix(below, "/backupinstances/"):
		return s.notFound(path), true
	}
	return answer{}, false
}

// names reports whether a recorded write mentions a resource.
func (r *recording) names(id string) bool {
	id = strings.ToLower(id)
	for _, n := range r.writes {
		x := r.all[n]
		body := strings.ToLower(x.requestBody)
		if strings.HasPrefix(strings.ToLower(x.path)+"/", id+"/") || strings.Contains(body, `"`+id+`"`) {
			return true
		}
	}
	return false
}

// restores reports whether a recorded write restores the instance, and none
// configures or deletes it: it exists all the time.
func (r *recording) restores(instance string) bool {
	restored := false
	for _, n := range r.writes {
		path := strings.ToLower(r.all[n].path)
		switch {
		case path == strings.ToLower(instance):
			return false
		case path == strings.ToLower(instance)+"/restore":
			restored = true
		}
	}
	return restored
}

// answered returns the first value of a text field in a recorded answer.
func (r *recording) answered(name string) string {
	value := regexp.MustCompile(`"` + name + `":\s*"([^"]*)"`)
	for _, x := range r.all {
		if m := value.FindStringSubmatch(x.body); m != nil {
			return m[1]
		}
	}
	return ""
}

// instanceOf returns an instance of the datasource that the recorded job names.
func (s *Server) instanceOf(id string) map[string]any {
	source := s.recording.answered("dataSourceId")
	return map[string]any{
		"id": id, "name": lastPart(id), "type": "Microsoft.DataProtection/backupVaults/backupInstances",
		"properties": map[string]any{
			"friendlyName": lastPart(source), "objectType": "BackupInstance", "currentProtectionState": "ProtectionConfigured", "provisioningState": "Succeeded",
			"protectionStatus": map[string]any{"status": "ProtectionConfigured"},
			"policyInfo":       map[string]any{"policyId": s.recording.answered("policyId")},
			"dataSourceInfo": map[string]any{
				"objectType": "Datasource", "resourceID": source, "resourceName": lastPart(source), "resourceUri": source,
				"datasourceType": s.recording.answered("dataSourceType"), "resourceLocation": s.recording.answered("dataSourceLocation"),
			},
		},
	}
}

// policies returns the IDs of the policies of a vault that recorded writes
// name.
func (r *recording) policies(vault string) []string {
	var found []string
	seen := map[string]bool{}
	id := regexp.MustCompile(`(?i)"(` + regexp.QuoteMeta(vault) + `/backupPolicies/[^"/]+)"`)
	for _, n := range r.writes {
		for _, m := range id.FindAllStringSubmatch(r.all[n].requestBody, -1) {
			if !seen[strings.ToLower(m[1])] {
				seen[strings.ToLower(m[1])] = true
				found = append(found, m[1])
			}
		}
	}
	return found
}

// field returns the first value of a text field in the body of a recorded
// write.
func (r *recording) field(name string) string {
	value := regexp.MustCompile(`"` + name + `":\s*"([^"]*)"`)
	for _, n := range r.writes {
		if m := value.FindStringSubmatch(r.all[n].requestBody); m != nil {
			return m[1]
		}
	}
	return ""
}

func (s *Server) vaultOf(id string) map[string]any {
	return map[string]any{
		"id": id, "name": lastPart(id), "type": "Microsoft.DataProtection/backupVaults",
		"location": s.recording.field("resourceLocation"), "identity": map[string]any{"type": "SystemAssigned"},
		"properties": map[string]any{
			"provisioningState": "Succeeded",
			"storageSettings":   []any{map[string]any{"datastoreType": "VaultStore", "type": "LocallyRedundant"}},
			"securitySettings": map[string]any{
				"softDeleteSettings":   map[string]any{"state": "Off", "retentionDurationInDays": 14},
				"immutabilitySettings": map[string]any{"state": "Disabled"},
			},
			"isVaultProtectedByResourceGuard": false,
		},
	}
}

// policyOf returns a policy for the recorded datasource, with the rule of the
// recorded backup.
func (s *Server) policyOf(id string) map[string]any {
	store := map[string]any{"dataStoreType": "VaultStore", "objectType": "DataStoreInfoBase"}
	return map[string]any{
		"id": id, "name": lastPart(id), "type": "Microsoft.DataProtection/backupVaults/backupPolicies",
		"properties": map[string]any{
			"objectType": "BackupPolicy", "datasourceTypes": []string{s.recording.field("datasourceType")},
			"policyRules": []any{map[string]any{
				"name": s.recording.field("ruleName"), "objectType": "AzureBackupRule", "dataStore": store,
				"backupParameters": map[string]any{"backupType": "Full", "objectType": "AzureBackupParams"},
				"trigger": map[string]any{
					"objectType": "ScheduleBasedTriggerContext",
					"schedule":   map[string]any{"repeatingTimeIntervals": []string{"R/2024-06-02T02:00:00+00:00/P1W"}},
					"taggingCriteria": []any{map[string]any{
						"tagInfo": map[string]any{"tagName": "Default", "id": "Default_"}, "taggingPriority": 99, "isDefault": true,
					}},
				},
			}},
		},
	}
}

func (s *Server) serverOf(id string) map[string]any {
	return map[string]any{
		"id": id, "name": lastPart(id), "type": "Microsoft.DBforPostgreSQL/flexibleServers",
		"location": s.recording.field("resourceLocation"), "properties": map[string]any{"state": "Ready"},
	}
}
