package armsim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rangePoint is the name of the entry that stands for all times of a database's
// log chain.
const rangePoint = "DefaultRangeRecoveryPoint"

// itemRestore is the body of POST recoveryPoints/{r}/restore, with the fields of
// all workloads.
type itemRestore struct {
	Properties *itemRestoreProperties `json:"properties"`
}

type itemRestoreProperties struct {
	ObjectType, RecoveryType, SourceResourceID string
	// File shares.
	CopyOptions, RestoreRequestType string
	RestoreFileSpecs                []struct{ Path, FileSpecType, TargetFolderPath string }
	TargetDetails                   *struct{ Name, TargetResourceID string }
	// Virtual machines.
	RecoveryPointID, StorageAccountID, Region           string
	TargetResourceGroupID, TargetVirtualMachineID       string
	VirtualNetworkID, SubnetID                          string
	RestoreDiskLunList                                  []int
	CreateNewCloudService, OriginalStorageAccountOption *bool
	Zones                                               []string
	// Databases.
	PointInTime, RecoveryMode                          string
	TargetInfo                                         *databaseTarget
	ShouldUseAlternateTargetLocation, IsNonRecoverable *bool
	RecoveryPointRehydrationInfo                       *rehydration
	AlternateDirectoryPaths                            []struct{ MappingType, SourceLogicalName, SourcePath, TargetPath string }
}

type databaseTarget struct{ OverwriteOption, ContainerID, DatabaseName, TargetDirectoryForFileRestore string }

// ItemRestore is one restore of a protected item that took effect.
type ItemRestore struct {
	Time time.Time
	// Vault is the ARM ID of the vault, Item the name of the item, RecoveryPoint
	// the name of the recovery point.
	Vault, Item, RecoveryPoint string
	// JobID is empty if an Outcome failed the operation.
	JobID, ActivityID string
	// ObjectType and RecoveryType are from the request body.
	ObjectType, RecoveryType string
	// Target names what the restore writes to.
	Target string
}

// ItemRestores returns the restores of protected items that took effect, in
// order. Each accepted POST has one, even if its answer was lost.
func (s *Simulator) ItemRestores() []ItemRestore {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.itemRestores)
}

// restoreItem answers POST recoveryPoints/{r}/restore. Recorded: the ID of the
// operation is that of the job.
func (s *Simulator) restoreItem(c *call) (answer, *armError) {
	var b itemRestore
	if err := c.decode(&b); err != nil {
		return answer{}, err
	}
	_, i := c.findItem()
	if i == nil {
		return answer{}, itemNotFound()
	}
	point, err := i.restoredPoint(c.path.names[4])
	if err != nil {
		return answer{}, err
	}
	if b.Properties == nil {
		return answer{}, invalidInput("properties", "they are missing")
	}
	body, name, extra, err := s.rehydrated(point, b.Properties)
	if err != nil {
		return answer{}, err
	}
	made, takes, err := s.plan(i, point, body)
	if err != nil {
		return answer{}, err
	}
	if s.world.restoring[strings.ToLower(made.target)] {
		return answer{}, &armError{
			status: http.StatusConflict, code: codeRestoreInProgress, message: "Another restore is in progress on the same target.",
		}
	}
	out := s.outcome(operationRestore, i.friendly, i.name)
	o := s.start(c, 4, s.config.Durations.RestoreOperation, out, func(*operation) *armError { return nil })
	seen := ItemRestore{
		Time: c.now, Vault: c.vault.ID(), Item: i.name, RecoveryPoint: c.path.names[4], ActivityID: c.clientID,
		ObjectType: b.Properties.ObjectType, RecoveryType: b.Properties.RecoveryType, Target: made.target,
	}
	if out.operationError() == nil {
		s.world.restoring[strings.ToLower(made.target)] = true
		j := s.startJob(c, name, i, takes+extra, out, func(time.Time) { made.finish() })
		j.id, j.restore, o.job = o.id, made, j
		j.onEnd = func() { delete(s.world.restoring, strings.ToLower(made.target)) }
		if made.begin != nil && (out == nil || !out.KeepsRunning) {
			made.begin(j, c.now, s.scaled(takes+extra))
		}
		seen.JobID = j.id
	}
	s.itemRestores = append(s.itemRestores, seen)
	return s.accepted(c, o), nil
}

// restoredPoint returns the recovery point of a restore. The entry of the log
// chain is one, too.
func (i *item) restoredPoint(name string) (itemPoint, *armError) {
	if name == rangePoint && (i.workload == sqlDatabase || i.workload == hanaDatabase) {
		return itemPoint{name: rangePoint, kind: "Log"}, nil
	}
	for _, p := range i.points {
		if p.name == name {
			return p, nil
		}
	}
	return itemPoint{}, &armError{ // a choice
		status: http.StatusNotFound, code: "BMSUserErrorObjectNotFound", target: "recoveryPointId",
		message: "The recovery point '" + name + "' of the item was not found.",
	}
}

// itemRestoreMade is a restore that was accepted.
type itemRestoreMade struct {
	target string
	// details are in the job's propertyBag from the start, results at the end.
	details, results map[string]any
	// kind is the type of a database's recovery point.
	kind string
	// finish changes the world when the job completes. begin, if set, runs when the
	// job starts; takes is its duration.
	finish func()
	begin  func(j *job, now time.Time, takes time.Duration)
}

// plan checks the body of a restore, which each workload has of its own, and
// returns what it makes and how long it takes.
func (s *Simulator) plan(i *item, point itemPoint, p *itemRestoreProperties) (*itemRestoreMade, time.Duration, *armError) {
	switch i.workload {
	case virtualMachine:
		return s.planMachine(i, point, p)
	case sqlDatabase, hanaDatabase:
		made, err := s.planDatabase(i, point, p)
		return made, s.config.Durations.DatabaseRestore, err
	case fileShare:
	}
	made, err := s.planShare(i, point, p)
	return made, s.config.Durations.ShareRestore, err
}

const maxRestoredPaths = 99

func (s *Simulator) planShare(i *item, point itemPoint, p *itemRestoreProperties) (*itemRestoreMade, *armError) {
	account, share := i.container.account, i.friendly
	kind := "Recovering to the original file share"
	switch {
	case p.ObjectType != "AzureFileShareRestoreRequest":
		return nil, invalidInput("properties.objectType", "%q is not AzureFileShareRestoreRequest", p.ObjectType)
	case !strings.EqualFold(p.SourceResourceID, account.ID()):
		return nil, invalidInput("properties.sourceResourceId", "%q is not %q", p.SourceResourceID, account.ID())
	case !slices.Contains([]string{"Overwrite", "Skip", "CreateCopy", "FailOnConflict"}, p.CopyOptions):
		return nil, invalidInput("properties.copyOptions", "%q is none of Overwrite, Skip, CreateCopy, FailOnConflict", p.CopyOptions)
	case (p.RestoreRequestType == "ItemLevelRestore") != (len(p.RestoreFileSpecs) > 0) || len(p.RestoreFileSpecs) > maxRestoredPaths:
		return nil, invalidInput("properties.restoreFileSpecs", "%d paths do not fit the request type %q", len(p.RestoreFileSpecs), p.RestoreRequestType)
	case p.RecoveryType == "AlternateLocation" && p.TargetDetails != nil:
		target, missing := s.world.account(p.TargetDetails.TargetResourceID)
		if missing != nil {
			return nil, invalidInput("properties.targetDetails.targetResourceId", "%s", missing.Error())
		}
		if target.share(p.TargetDetails.Name) == nil {
			return nil, invalidInput("properties.targetDetails.name", "the storage account has no file share %q", p.TargetDetails.Name)
		}
		account, share, kind = target, p.TargetDetails.Name, "Recover to an alternate file share"
	case p.RecoveryType != "OriginalLocation" || p.TargetDetails != nil:
		return nil, invalidInput("properties.recoveryType", "%q does not fit the target", p.RecoveryType)
	}
	files, folder := i.share.files(), ""
	if n := len(p.RestoreFileSpecs); n > 0 {
		files, folder = min(n, files), p.RestoreFileSpecs[0].TargetFolderPath
	}
	destination := account.Name + "/" + share + "/" + folder
	written := func() {
		if target := account.share(share); target != nil {
			target.bytes += int64(files) * restoredFileBytes
		}
	}
	return &itemRestoreMade{
		target: destination,
		details: map[string]any{
			"Source File Share Name": i.friendly, "Source Storage Account Name": i.container.friendly,
			"RestoreRecoveryPointTime": restoredTime(point.time), "Job Type": kind, "RestoreDestination": destination,
		},
		results: map[string]any{
			"Data Transferred (in MB)": "0", "Number Of Restored Files": strconv.Itoa(files), "Number Of Skipped Files": "0", "Number Of Failed Files": "0",
		},
		finish: written,
	}, nil
}

// restoredTime formats a time as property bags do.
func restoredTime(at time.Time) string { return at.UTC().Format("1/2/2006 3:04:05 PM") }

func (s *Simulator) planMachine(i *item, point itemPoint, p *itemRestoreProperties) (*itemRestoreMade, time.Duration, *armError) {
	staging, missing := s.world.account(p.StorageAccountID)
	switch {
	case p.ObjectType != "IaasVMRestoreRequest":
		return nil, 0, invalidInput("properties.objectType", "%q is not IaasVMRestoreRequest", p.ObjectType)
	case p.RecoveryPointID != point.name:
		return nil, 0, invalidInput("properties.recoveryPointId", "%q is not %q", p.RecoveryPointID, point.name)
	case !strings.EqualFold(p.SourceResourceID, i.container.sourceID):
		return nil, 0, invalidInput("properties.sourceResourceId", "%q is not %q", p.SourceResourceID, i.container.sourceID)
	case !strings.EqualFold(p.Region, i.container.vault.Location):
		return nil, 0, invalidInput("properties.region", "%q is not the vault's region", p.Region)
	case missing != nil:
		return nil, 0, invalidInput("properties.storageAccountId", "%s", missing.Error())
	case p.CreateNewCloudService == nil || p.OriginalStorageAccountOption == nil:
		return nil, 0, invalidInput("properties", "createNewCloudService and originalStorageAccountOption are missing")
	}
	blob := fmt.Sprintf("https://%s.blob.core.windows.net/%s-%s/", staging.Name, strings.ToLower(i.friendly), point.name)
	made := &itemRestoreMade{
		details: map[string]any{
			"Target VM Name": "vmName", "Target Storage Account Name": staging.Name, "Recovery point time ": restoredTime(point.time),
		},
		results: map[string]any{}, finish: func() {},
	}
	d := s.config.Durations
	switch p.RecoveryType {
	case "RestoreDisks":
		made.details["Job Type"], made.target = "Recover disks", p.StorageAccountID
		made.results["Template Blob Uri"], made.results["Config Blob Uri"] = blob+"azuredeploy.json", blob+"config.json"
		if p.TargetResourceGroupID == "" {
			return made, d.DisksRestore, nil
		}
		made.details["Target resource group"] = lastOf(p.TargetResourceGroupID)
		made.target = p.TargetResourceGroupID + "|" + i.name
		s.restoreManagedDisks(made, i, p.TargetResourceGroupID, staging)
		return made, d.ManagedDisksRestore, nil
	case "AlternateLocation":
		if p.TargetVirtualMachineID == "" || p.TargetResourceGroupID == "" || p.VirtualNetworkID == "" || p.SubnetID == "" {
			return nil, 0, invalidInput("properties", "a new virtual machine needs its ID, a resource group, a network and a subnet")
		}
		if s.world.machine(p.TargetVirtualMachineID) != nil {
			return nil, 0, invalidInput("properties.targetVirtualMachineId", "the virtual machine already exists")
		}
		made.details["Job Type"], made.target = "Recover VM to an alternate location", p.TargetVirtualMachineID
		made.details["Target VM Name"], made.details["Target resource group"] = lastOf(p.TargetVirtualMachineID), lastOf(p.TargetResourceGroupID)
		made.finish = func() { s.world.addMachineAt(p.TargetVirtualMachineID, i.container.vault.Location) }
		return made, d.MachineRestore, nil
	case "OriginalLocation":
		made.details["Job Type"], made.target = "Replace disks", i.container.sourceID
		made.details["Target VM Name"] = i.friendly
		return made, d.ReplaceDisks, nil
	}
	return nil, 0, invalidInput("properties.recoveryType", "%q is not known", p.RecoveryType)
}

func (s *Simulator) planDatabase(i *item, point itemPoint, p *itemRestoreProperties) (*itemRestoreMade, *armError) {
	if err := i.checkDatabaseRestore(point, p); err != nil {
		return nil, err
	}
	made := &itemRestoreMade{
		target: i.server + "/" + i.parent + "/" + i.friendly, kind: point.kind, finish: func() {},
		details: map[string]any{"Job Type": "Recovery to the original database"},
		results: map[string]any{"Data Transferred (in MB)": "20.1147"},
	}
	if p.RecoveryType == "AlternateLocation" {
		k := i.container.vault.containerByID(p.TargetInfo.ContainerID)
		if k == nil {
			return nil, invalidInput("properties.targetInfo.containerId", "the container %q is not registered with the vault", p.TargetInfo.ContainerID)
		}
		made.details["Job Type"], made.target = "Recovery to an alternate database", k.friendly+"/"+p.TargetInfo.DatabaseName
		if p.RecoveryMode != "" {
			made.details["Job Type"], made.target = "Recovery as files", k.friendly+"/"+p.TargetInfo.TargetDirectoryForFileRestore
		} else {
			made.finish = func() { k.addRestored(p.TargetInfo.DatabaseName) }
		}
	}
	made.details["RestoreDestination"] = made.target
	made.details["RestoreRecoveryPointTime"] = restoredTime(point.time)
	return made, nil
}

// checkDatabaseRestore checks the body of the restore of a database.
func (i *item) checkDatabaseRestore(point itemPoint, p *itemRestoreProperties) *armError {
	kind := "SQL"
	if i.workload == hanaDatabase {
		kind = "SAPHana"
	}
	want := "AzureWorkload" + kind + "RestoreRequest"
	if point.name == rangePoint {
		want = "AzureWorkload" + kind + "PointInTimeRestoreRequest"
	}
	switch {
	case p.ObjectType != want:
		return invalidInput("properties.objectType", "%q is not %s", p.ObjectType, want)
	case i.workload == sqlDatabase && (p.ShouldUseAlternateTargetLocation == nil || p.IsNonRecoverable == nil):
		return invalidInput("properties", "shouldUseAlternateTargetLocation and isNonRecoverable are missing")
	case p.RecoveryType == "OriginalLocation" && p.TargetInfo == nil:
	case p.RecoveryType != "AlternateLocation" || p.TargetInfo == nil:
		return invalidInput("properties.recoveryType", "%q does not fit the target", p.RecoveryType)
	case p.RecoveryMode == "FileRecovery" && p.TargetInfo.TargetDirectoryForFileRestore == "",
		p.RecoveryMode == "" && strings.Count(p.TargetInfo.DatabaseName, "/") != 1:
		return invalidInput("properties.targetInfo", "it names neither a database nor a directory")
	case i.workload == sqlDatabase && p.RecoveryMode == "" && len(p.AlternateDirectoryPaths) == 0:
		return invalidInput("properties.alternateDirectoryPaths", "they are missing")
	}
	if point.name != rangePoint {
		return nil
	}
	at, err := time.Parse(time.RFC3339, p.PointInTime)
	if err != nil || i.logEnd.IsZero() || at.Before(i.points[0].time.Truncate(time.Second)) || at.After(i.logEnd) {
		return invalidInput("properties.pointInTime", "%q is not in the log chain", p.PointInTime)
	}
	return nil
}

func lastOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
