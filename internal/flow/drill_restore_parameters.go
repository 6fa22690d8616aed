package flow

// DrillRestore restores an item into a place of its own, checks what arrived, deletes
// the place and writes the evidence. The fields have the names of drills.yaml.
type DrillRestore struct {
	Drill DrillRun `json:"drill"`
	// Type is the type of the item: AzureFileShare, or the datasource type of a
	// backup instance.
	Type string `json:"type"`
	// ItemID is the protected file share, BackupInstanceID the backup instance; set
	// exactly one.
	ItemID           string `json:"itemId,omitempty"`
	BackupInstanceID string `json:"backupInstanceId,omitempty"`
	// Tags are the tags of the item's source. The evidence repeats them.
	Tags       map[string]string `json:"tags,omitempty"`
	Point      DrillPoint        `json:"point"`
	Target     DrillTarget       `json:"target"`
	Objectives DrillObjectives   `json:"objectives,omitzero"`
	Validation DrillValidation   `json:"validation"`
	// CleanUp is delete or keep.
	CleanUp string `json:"cleanUp"`
}

// DrillRun names the declaration that a drill follows. The evidence repeats it.
type DrillRun struct {
	// Name is the name of the drill, Run the local start time of its run.
	Name string `json:"name"`
	Run  string `json:"run"`
	// ConfigurationDigest is the SHA-256 digest of the declaration, as sha256:<hex>.
	ConfigurationDigest string `json:"configurationDigest"`
}

// DrillPoint is the rule that chooses the recovery point.
type DrillPoint struct {
	// Rule is latest, latestWithin or randomWithin.
	Rule string `json:"rule"`
	// Window is the maximum age of the point, an ISO 8601 duration; empty with latest.
	Window string `json:"window,omitempty"`
}

// DrillTarget is where the drill makes its place. The setting
// AZBACKUPFLOW_DRILL_TARGETS must allow it.
type DrillTarget struct {
	StorageAccountID string `json:"storageAccountId,omitempty"`
	ResourceGroupID  string `json:"resourceGroupId,omitempty"`
}

// DrillObjectives are ISO 8601 durations; empty means no objective.
type DrillObjectives struct {
	RestoreTime string `json:"restoreTime,omitempty"`
	PointAge    string `json:"pointAge,omitempty"`
}

// DrillValidation is the validation that the drill waits for.
type DrillValidation struct {
	// By is callback or none.
	By string `json:"by"`
	// Window is how long to wait, an ISO 8601 duration; empty with none.
	Window string `json:"window,omitempty"`
}
