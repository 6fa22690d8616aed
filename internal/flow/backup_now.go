package flow

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// BackupNow starts an on-demand backup of an item that a Recovery Services vault
// protects (a file share, an IaaS virtual machine, or an SQL or SAP HANA
// database), or of a backup instance of a Backup vault (PostgreSQL).
// Source: learn.microsoft.com, "Backups - Trigger".
type BackupNow struct {
	Target
	// RetryFailedJob is how often a job that failed is started again. The default
	// is never: the end of the job is the end of the operation.
	RetryFailedJob int `json:"retryFailedJob,omitempty"`
	// Rule is for backup instances.
	Rule *BackupRule `json:"rule,omitempty"`

	// BackupType is Full, Differential, Log, CopyOnlyFull, Incremental,
	// SnapshotFull or SnapshotCopyOnlyFull. Databases require it; for everything
	// else it is rejected.
	BackupType string `json:"backupType,omitempty"`
	// EnableCompression is for databases.
	EnableCompression *bool `json:"enableCompression,omitempty"`
	// RecoveryPointExpiryTimeInUTC is the time after which the backup may be
	// deleted.
	RecoveryPointExpiryTimeInUTC *time.Time `json:"recoveryPointExpiryTimeInUTC,omitempty"`
	// ETag, Location and Tags are copied into the request.
	ETag     string            `json:"eTag,omitempty"`
	Location string            `json:"location,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

// backupTypes are the API's types that a request can name; the API's own list
// also has Invalid, which it cannot.
func backupTypes() []string {
	return []string{"Full", "Differential", "Log", "CopyOnlyFull", "Incremental", "SnapshotFull", "SnapshotCopyOnlyFull"}
}

func (a azure) checkBackupNow(c *checks, p *BackupNow) {
	c.target(p.Target)
	c.retryFailedJob(p.RetryFailedJob)
	if (p.FileShare != nil || p.BackupInstanceID != "") && (p.BackupType != "" || p.EnableCompression != nil) {
		c.add("backupType", "or enableCompression is set for a target that is not a database", "neither; only databases, named by itemId, have them")
	}
	if p.BackupInstanceID == "" && p.Rule != nil {
		c.add("rule", "is set for a target that is not a backup instance", "no rule; only backup instances, named by backupInstanceId, have rules")
	}
	if p.BackupInstanceID != "" && (p.RecoveryPointExpiryTimeInUTC != nil || p.ETag != "" || p.Location != "" || len(p.Tags) > 0) {
		c.add("backupInstanceId", "is set together with fields for items of a Recovery Services vault", "only rule together with backupInstanceId")
	}
	if p.BackupType != "" && !slices.Contains(backupTypes(), p.BackupType) {
		c.add("backupType", fmt.Sprintf("%q is not a backup type", p.BackupType), "one of "+strings.Join(backupTypes(), ", "))
	}
	c.expiry("recoveryPointExpiryTimeInUTC", p.RecoveryPointExpiryTimeInUTC, a.Now())
}

func backupParameters() schema.Parameters {
	const items = "not for backup instances"
	return schema.Parameters{
		Type: reflect.TypeFor[BackupNow](),
		Fields: targetFields().With(retryFailedJobFields()).With(schema.Fields{
			"rule":                         {When: "backup instances only", Meaning: "an object: the rule of the policy"},
			"rule.name":                    {Meaning: "the rule, such as `BackupWeekly`; default: the policy's only rule"},
			"rule.retentionTag":            {Meaning: "the retention rule for the backup; default: the rule's own"},
			"backupType":                   {When: "databases only, and required there", Meaning: "`Full`, `Differential`, `Log`, `CopyOnlyFull`, `Incremental`, `SnapshotFull` or `SnapshotCopyOnlyFull`. Azure decides which of them a database supports", Rule: schema.OneOf(backupTypes()...)},
			"enableCompression":            {When: "databases only", Meaning: "`true` or `false`"},
			"recoveryPointExpiryTimeInUTC": {When: items, Meaning: "time after which the backup may be deleted; in the future"},
			"eTag":                         {When: items, Meaning: "copied into the request"},
			"location":                     {When: items, Meaning: "copied into the request"},
			"tags":                         {When: items, Meaning: "copied into the request"},
		}),
		Rules: schema.Object{
			"oneOf": oneTarget(),
			"allOf": []schema.Object{
				{"if": schema.Object{"anyOf": schema.Each("fileShare", "backupInstanceId")}, "then": schema.Missing("backupType", "enableCompression")},
				{
					"if":   schema.Given("backupInstanceId"),
					"then": schema.Missing("recoveryPointExpiryTimeInUTC", "eTag", "location", "tags"), "else": schema.Missing("rule"),
				},
			},
		},
	}
}

func (a azure) backupNow() Definition {
	find := a.findTargetStep(with(func(ctx context.Context, c step.Call, p BackupNow) (operation.Outcome, error) {
		return a.findTarget(ctx, c, p.Target)
	}))
	read := step.Step{
		Name: "read-item", Effect: step.Read, Run: with(a.readBackedUpItem), Calls: []string{"ProtectedItems_Get"},
		Asks: "reads the protected item", Then: "its type decides the request's body. An item that was deleted or stopped is rejected",
	}
	return Definition{
		Flow: step.Flow{
			Name: "backup-now", Version: 1, Item: targetKey,
			Summary:  "back up a protected file share, virtual machine, database, or an instance of a Backup vault, to the job's end",
			Deadline: 48 * time.Hour,
			Priority: operation.PriorityBackup,
			Check:    check(a.checkBackupNow),
			Steps:    slices.Concat([]step.Step{find}, ofItems(read), ofItems(a.backupSteps(onDemandBackup)...), ofInstances(a.instanceBackupSteps()...)),
		},
		Role:       roles.Backup,
		Parameters: backupParameters,
		Intro: "Backs up an item that a Recovery Services vault protects (a file share, a virtual machine, or a database of SQL Server, SAP HANA " +
			"or SAP ASE on a virtual machine), or a backup instance of a Backup vault (a disk, blobs, a cluster, a server), and follows the backup's job to its end.",
		Notes:    "Azure has no call that cancels the backup of a backup instance: canceling the operation ends it, and its history contains that the job continues.",
		Examples: backupNowExamples(),
	}
}

func backupNowExamples() []Example {
	return []Example{
		{
			File: "backup-now-file-share", About: "file share testshare", Key: "backup-testshare", Deadline: "PT6H", Labels: team("files"),
			Parameters: BackupNow{Target: Target{FileShare: exampleFileShare()}}, Cost: "a file share by its name",
		},
		{
			File: "backup-now-vm", About: "virtual machine vm1", Key: "backup-vm1", Deadline: "P1D", Labels: team("machines"),
			Parameters: BackupNow{Target: Target{ItemID: exampleMachine}}, Cost: "a virtual machine by its ID",
		},
		{
			File: "backup-now-sql", About: "SQL database orders", Key: "backup-orders", Deadline: "P1D", Labels: team("databases"),
			Parameters: BackupNow{Target: Target{ItemID: exampleDatabase}, BackupType: "CopyOnlyFull", EnableCompression: new(true)},
		},
		{
			File: "backup-now-postgres", About: "pgflextestserver", Key: "backup-pgflextestserver", Deadline: "P1D", Labels: team("databases"),
			Parameters: BackupNow{
				Target: Target{BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleServer)}, Rule: &BackupRule{Name: "BackupWeekly"},
			},
			After: []string{"protect-postgres"}, Cost: "a server",
		},
		{
			File: "backup-now-mysql", About: "mysqltestserver", Key: "backup-mysqltestserver", Deadline: "P1D", Labels: team("databases"),
			Parameters: BackupNow{Target: Target{BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleMySQL)}},
			After:      []string{"protect-mysql"},
		},
		{
			File: "backup-now-disk", About: "disk datadisk1", Key: "backup-datadisk1", Deadline: "P1D", Labels: team("machines"),
			Parameters: BackupNow{Target: Target{BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleDisk)}},
			After:      []string{"protect-disk"},
		},
		{
			File: "backup-now-blobs", About: "blobs of vaultedaccount1", Key: "backup-vaultedaccount1", Deadline: "P1D", Labels: team("files"),
			Parameters: BackupNow{Target: Target{BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleVaulted)}},
			After:      []string{"protect-blobs-vaulted"},
		},
		{
			File: "backup-now-cluster", About: "cluster akscluster1", Key: "backup-akscluster1", Deadline: "P1D", Labels: team("platform"),
			Parameters: BackupNow{Target: Target{BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleCluster+"/daily")}},
			After:      []string{"protect-cluster"},
		},
	}
}

// readBackedUpItem reads the type of the item, so that the request's body fits
// it.
func (a azure) readBackedUpItem(ctx context.Context, c step.Call, p BackupNow) (operation.Outcome, error) {
	item, err := a.foundItem(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := rejectedItem(item, treatItem(item).backup, c.Now); err != nil {
		return operation.Outcome{}, err
	}
	kind, known := objectType(item.Type)
	switch {
	case !known:
		return operation.Outcome{}, fatal("ItemTypeUnknown", fmt.Sprintf("%s is a %s, which azbackupflow cannot back up on demand", item.FriendlyName, item.Type),
			"Start its backup in the portal, or wait for the policy's next one. Follow its job with the flow "+trackJobFlow+".")
	case kind == recoveryservices.BackupAzureWorkload && p.BackupType == "":
		return operation.Outcome{}, fatal("BackupTypeMissing", "parameters.backupType is missing: "+item.FriendlyName+" is a database",
			"Send the request again with one of "+strings.Join(backupTypes(), ", ")+".")
	case kind != recoveryservices.BackupAzureWorkload && (p.BackupType != "" || p.EnableCompression != nil):
		return operation.Outcome{}, fatal("BackupTypeDoesNotFit", fmt.Sprintf("parameters.backupType and enableCompression are for databases; %s is a %s", item.FriendlyName, item.Type),
			"Send the request again without them.")
	}
	facts := factsOf(item)
	// The ID stays as it was requested or listed: only its casing differs.
	delete(facts, learnedItem)
	return learn(next(fmt.Sprintf("%s is a %s", item.FriendlyName, item.Type)), facts), nil
}

// objectType returns the type of backup request that fits a type of item.
func objectType(itemType string) (kind string, ok bool) {
	switch itemType {
	case recoveryservices.ItemAzureFileShare:
		return recoveryservices.BackupAzureFileShare, true
	case recoveryservices.ItemVirtualMachine, recoveryservices.ItemClassicVirtualMachine, recoveryservices.ItemIaaSVM:
		return recoveryservices.BackupIaasVM, true
	case recoveryservices.ItemSQLDatabase, recoveryservices.ItemSAPHanaDatabase, recoveryservices.ItemSAPHanaDBInstance,
		recoveryservices.ItemSAPAseDatabase, recoveryservices.ItemAzureVMWorkload:
		return recoveryservices.BackupAzureWorkload, true
	}
	return "", false
}

// onDemandBackup returns the body of the requested backup.
func onDemandBackup(c step.Call) (recoveryservices.BackupRequest, error) {
	p, err := parametersOf[BackupNow](c)
	if err != nil {
		return recoveryservices.BackupRequest{}, err
	}
	kind, ok := objectType(c.Operation.Learned[learnedItemType])
	if !ok {
		return recoveryservices.BackupRequest{}, fatal("ItemTypeUnknown", "the operation does not know the type of the item")
	}
	r := recoveryservices.BackupRequest{
		ObjectType: kind, BackupType: p.BackupType, EnableCompression: p.EnableCompression,
		ETag: p.ETag, Location: p.Location, Tags: p.Tags,
	}
	if p.RecoveryPointExpiryTimeInUTC != nil {
		r.RecoveryPointExpiryTimeInUTC = *p.RecoveryPointExpiryTimeInUTC
	}
	return r, nil
}
