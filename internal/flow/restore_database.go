package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/step"
)

// The facts of the target of a restored database.
const (
	learnedTargetContainer = "targetContainerId"
	learnedDatabaseFiles   = "databaseFiles"
)

// restoreDatabase restores a database. restore_database_parameters.go holds its
// parameters.
func (a azure) restoreDatabase() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "restore-database", Version: 1,
			Summary:  "restore a database of SQL Server or SAP HANA on a virtual machine: into itself, as another database or as files, to the job's end",
			Guarded:  true,
			Deadline: 2 * 24 * time.Hour,
			Priority: operation.PriorityRestore,
			Check:    check(a.checkRestoreDatabase),
			Steps: append([]step.Step{
				{
					Name: "name-item", Effect: step.Read, Asks: "calls nothing; notes the item's ID",
					Run: with(func(_ context.Context, _ step.Call, p RestoreDatabase) (operation.Outcome, error) {
						return learn(next("the request names the item by its ID"), map[string]string{learnedItem: p.ItemID}), nil
					}),
				},
				a.readRestoredItemStep("database", recoveryservices.ItemSQLDatabase, recoveryservices.ItemSAPHanaDatabase),
				{
					Name: "pick-recovery-point", Effect: step.Read, Run: with(a.pickDatabasePoint), Calls: []string{"ItemRecoveryPoints_List", "ItemRecoveryPoints_Get"},
					Asks: "reads or lists the recovery points, or the times of the log chain",
					Then: "without a usable recovery point, or a log chain that contains the time, the operation fails",
				},
				{
					Name: "find-target", Effect: step.Read, Run: with(a.findTargetServer), Calls: []string{"BackupProtectionContainers_List"},
					Asks: "lists the vault's registered virtual machines", Then: "a target that is not registered with the vault is rejected. A restore into the original continues with `restore`",
				},
				{
					Name: "place-files", Effect: step.Read, Run: with(a.placeFiles), Calls: []string{"ItemRecoveryPoints_Get", "ItemRecoveryPoints_List", "BackupWorkloadItems_List"},
					Asks: "for another SQL database, reads the files of the backup and the directories of the target's instance", Then: "each file gets a new name in the instance's directory",
				},
			}, itemRestore{send: a.databaseRestore, sameTarget: sameDatabase, result: restoredDatabase}.steps(a)...),
		},
		Role:       roles.Delete,
		Parameters: restoreDatabaseParameters,
		Intro: "Restores a database of SQL Server or SAP HANA on a virtual machine from a recovery point, or to a time in its log chain. It is off until an " +
			"operator allows targets: the setting `AZBACKUPFLOW_RESTORE_TARGETS` lists the resource IDs of virtual machines.",
		Notes: notesOfItemRehydration + "`latest` is the newest backup: Azure's list also contains an entry `DefaultRangeRecoveryPoint` for the log chain, which is never treated as a backup. " +
			"The SYSTEMDB of SAP HANA cannot be restored under another name (`UserErrorIncompatibleSrcTargetSystemsForRestore`).",
		Examples: []Example{{
			File: "restore-database", About: "SQL database orders", Key: "restore-orders", Deadline: "P1D", Labels: team("databases"),
			Parameters: RestoreDatabase{
				ItemID: exampleDatabase, RecoveryPoint: DatabasePoint{RecoveryPoint: RecoveryPoint{Latest: true}},
				ToDatabase: &ToDatabase{VirtualMachineID: exampleMachines + "sqlvm", Instance: "MSSQLSERVER", Database: "ordersrestored"},
			},
			Cost: "a SQL database, as another database",
		}},
	}
}

// pickDatabasePoint chooses the recovery point. A time is restored from the entry
// that stands for the log chain.
func (a azure) pickDatabasePoint(ctx context.Context, c step.Call, p RestoreDatabase) (operation.Outcome, error) {
	if p.RecoveryPoint.PointInTime == nil {
		point, err := a.pickItemPoint(ctx, c, itemPointChoice{p.RecoveryPoint.RecoveryPoint, p.Rehydration != nil})
		if err != nil {
			return operation.Outcome{}, err
		}
		at := point.Time.UTC().Format(time.RFC3339)
		return learn(next(fmt.Sprintf("recovery point %s of %s", point.Name, at)), map[string]string{learnedRecoveryPoint: point.Name, learnedRecoveryPointTime: at}), nil
	}
	at := *p.RecoveryPoint.PointInTime
	chain, err := a.recoveryServices(c).GetLogRange(ctx, c.Operation.Learned[learnedItem])
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case !chain.Covers(at):
		return operation.Outcome{}, noItemPoint(fmt.Sprintf("the log chain of %s does not contain %s; it contains %s", c.Operation.Learned[learnedName], at.UTC().Format(time.RFC3339), rangesOf(chain)))
	}
	return learn(next("the log chain contains "+at.UTC().Format(time.RFC3339)), map[string]string{
		learnedRecoveryPoint: recoveryservices.RangeRecoveryPoint, learnedRecoveryPointTime: at.UTC().Format(time.RFC3339),
	}), nil
}

// rangesOf lists the times of a log chain.
func rangesOf(chain recoveryservices.RecoveryPoint) string {
	if len(chain.Ranges) == 0 {
		return "no time: it has no log backup"
	}
	var all []string
	for _, r := range chain.Ranges {
		all = append(all, r.Start.UTC().Format(time.RFC3339)+" to "+r.End.UTC().Format(time.RFC3339))
	}
	return strings.Join(all, ", ")
}

// findTargetServer finds the container of the target's machine.
func (a azure) findTargetServer(ctx context.Context, c step.Call, p RestoreDatabase) (operation.Outcome, error) {
	machine := p.machineID()
	if machine == "" {
		return skipTo("restore", "the database is restored into itself"), nil
	}
	vault, err := itemVault(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	containers, err := a.recoveryServices(c).ListRegisteredWorkloadContainers(ctx, vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, container := range containers {
		if !resourceid.Equal(container.SourceResourceID, machine) {
			continue
		}
		out := skipTo("restore", "the target is registered as "+container.Name)
		if p.ToDatabase != nil && c.Operation.Learned[learnedItemType] == recoveryservices.ItemSQLDatabase {
			out = next("the target is registered as " + container.Name)
		}
		return learn(out, map[string]string{learnedTargetContainer: container.ID}), nil
	}
	return operation.Outcome{}, fatal("TargetNotRegistered", fmt.Sprintf("virtual machine %s is not registered with vault %s", machine, vault.Name),
		"Register it, for example by protecting one of its databases with the flow protect-database.")
}

// placeFiles chooses the paths of the database's files in the target.
func (a azure) placeFiles(ctx context.Context, c step.Call, p RestoreDatabase) (operation.Outcome, error) {
	point, err := a.pointWithFiles(ctx, c)
	if err != nil {
		return operation.Outcome{}, err
	}
	vault, err := itemVault(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	container := resourceid.LastName(c.Operation.Learned[learnedTargetContainer])
	instances, err := a.recoveryServices(c).ListSQLInstances(ctx, vault, container)
	if err != nil {
		return operation.Outcome{}, err
	}
	directories, found := map[string]string{}, false
	for _, i := range instances {
		if !strings.EqualFold(i.Name, p.ToDatabase.Instance) {
			continue
		}
		found = true
		for _, d := range i.Directories {
			directories[strings.ToLower(d.Type)] = d.Path
		}
	}
	if !found {
		return operation.Outcome{}, fatal("InstanceNotFound", fmt.Sprintf("the vault knows no SQL Server instance %s on %s", p.ToDatabase.Instance, p.ToDatabase.VirtualMachineID),
			"Check parameters.toDatabase.instance.")
	}
	var files []recoveryservices.DatabaseFile
	for _, d := range point.Directories {
		directory := directories[strings.ToLower(d.Type)]
		if directory == "" {
			return operation.Outcome{}, fatal("DirectoryUnknown", fmt.Sprintf("the vault knows no %s directory of instance %s", d.Type, p.ToDatabase.Instance), "Let the vault discover the instance again: register the virtual machine again.")
		}
		files = append(files, recoveryservices.DatabaseFile{Type: d.Type, LogicalName: d.LogicalName, SourcePath: d.Path, TargetPath: filePath(directory, d.LogicalName, d.Path, c.Now)})
	}
	if len(files) == 0 {
		return operation.Outcome{}, fatal("FilesUnknown", "the recovery point does not name the files of the database", "Restore another recovery point, or restore in the portal.")
	}
	raw, err := json.Marshal(files)
	if err != nil {
		return operation.Outcome{}, fatal("FilesUnknown", err.Error())
	}
	return learn(next(fmt.Sprintf("%d files get new names", len(files))), map[string]string{learnedDatabaseFiles: string(raw)}), nil
}

// pointWithFiles reads the recovery point that names the files. The entry of the
// log chain names none: the newest backup before the time does.
func (a azure) pointWithFiles(ctx context.Context, c step.Call) (recoveryservices.RecoveryPoint, error) {
	known := c.Operation.Learned
	name := known[learnedRecoveryPoint]
	if name == recoveryservices.RangeRecoveryPoint {
		at, err := time.Parse(time.RFC3339, known[learnedRecoveryPointTime])
		if err != nil {
			return recoveryservices.RecoveryPoint{}, fatal("ItemUnknown", err.Error())
		}
		newest, err := a.pickItemPoint(ctx, c, itemPointChoice{RecoveryPoint: RecoveryPoint{LatestBefore: &at}})
		if err != nil {
			return newest, err
		}
		name = newest.Name
	}
	return a.recoveryServices(c).GetRecoveryPoint(ctx, known[learnedItem], name)
}

func (a azure) databaseRestore(_ context.Context, c step.Call) (recoveryservices.Restore, error) {
	p, err := parametersOf[RestoreDatabase](c)
	if err != nil {
		return nil, err
	}
	known := c.Operation.Learned
	r := recoveryservices.DatabaseRestore{ItemType: known[learnedItemType], Rehydration: p.Rehydration.item()}
	if p.RecoveryPoint.PointInTime != nil {
		r.PointInTime = *p.RecoveryPoint.PointInTime
	}
	machine := p.machineID()
	if machine == "" {
		machine = known[learnedSource]
	}
	if !a.Guardrails.allowsResource(machine) {
		return nil, notAllowedTarget("virtual machine " + machine)
	}
	target := recoveryservices.DatabaseTarget{SourceMachineID: known[learnedSource], MachineID: machine, ContainerID: known[learnedTargetContainer]}
	switch {
	case p.ToDatabase != nil:
		target.Overwrite, target.Database = p.ToDatabase.Overwrite, p.ToDatabase.Instance+"/"+p.ToDatabase.Database
		if raw := known[learnedDatabaseFiles]; raw != "" {
			if err := json.Unmarshal([]byte(raw), &target.Files); err != nil {
				return nil, fatal("FilesUnknown", err.Error())
			}
		}
		r.Target = &target
	case p.ToFiles != nil:
		target.Overwrite, target.Directory = p.ToFiles.Overwrite, p.ToFiles.Directory
		r.Target = &target
	}
	return r, nil
}

// sameDatabase compares a job's target, such as sqlvm/MSSQLSERVER/orders2. The
// host's name may differ from the machine's, so a different one proves nothing.
func sameDatabase(c step.Call, job recoveryservices.Job) match {
	p, err := parametersOf[RestoreDatabase](c)
	parts := strings.SplitN(job.PropertyBag["RestoreDestination"], "/", 3)
	if err != nil || len(parts) != 3 || p.ToFiles != nil {
		return ambiguousItem
	}
	known := c.Operation.Learned
	machine, instance, name := known[learnedSource], known[learnedParent], known[learnedName]
	if d := p.ToDatabase; d != nil {
		machine, instance, name = d.VirtualMachineID, d.Instance, d.Database
	}
	switch {
	case !strings.EqualFold(parts[2], name), instance != "" && !strings.EqualFold(parts[1], instance):
		return otherItem
	case !strings.EqualFold(parts[0], resourceid.LastName(machine)):
		return ambiguousItem
	}
	return sameItem
}

// restoredDatabase returns where the restored database is.
func restoredDatabase(_ step.Call, job recoveryservices.Job) (facts map[string]string, warnings []string) {
	return map[string]string{learnedDestination: job.PropertyBag["RestoreDestination"]}, nil
}
