package flow

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/schema"
)

// RestoreDatabase restores a protected database of SQL Server or SAP HANA on a
// virtual machine.
// Sources: learn.microsoft.com, "Restore SQL Server databases in Azure VMs by
// using REST API", "Restore SAP HANA databases in Azure VMs via REST API".
type RestoreDatabase struct {
	// ItemID is the protected database.
	ItemID        string        `json:"itemId"`
	RecoveryPoint DatabasePoint `json:"recoveryPoint"`
	// ToOriginal, ToDatabase or ToFiles is the target. The setting
	// AZBACKUPFLOW_RESTORE_TARGETS must allow its virtual machine.
	ToOriginal bool        `json:"toOriginal,omitempty"`
	ToDatabase *ToDatabase `json:"toDatabase,omitempty"`
	ToFiles    *ToFiles    `json:"toFiles,omitempty"`
	// Rehydration selects recovery points of the archive tier.
	Rehydration *Rehydration `json:"rehydration,omitempty"`
	// RetryFailedJob is how often a job that failed is started again.
	RetryFailedJob int `json:"retryFailedJob,omitempty"`
}

// DatabasePoint selects what to restore: exactly one field is set.
type DatabasePoint struct {
	RecoveryPoint
	// PointInTime is a time within the log chain.
	PointInTime *time.Time `json:"pointInTime,omitempty"`
}

// ToDatabase is a database that the restore creates.
type ToDatabase struct {
	VirtualMachineID string `json:"virtualMachineId"`
	Instance         string `json:"instance"`
	Database         string `json:"database"`
	// Overwrite replaces an existing database.
	Overwrite bool `json:"overwrite,omitempty"`
}

// ToFiles is a directory that the restore writes the backup to.
type ToFiles struct {
	VirtualMachineID string `json:"virtualMachineId"`
	Directory        string `json:"directory"`
	Overwrite        bool   `json:"overwrite,omitempty"`
}

// machineID returns the virtual machine of the target; empty for the original.
func (p RestoreDatabase) machineID() string {
	switch {
	case p.ToDatabase != nil:
		return p.ToDatabase.VirtualMachineID
	case p.ToFiles != nil:
		return p.ToFiles.VirtualMachineID
	}
	return ""
}

// Names that a restore composes into the target. They are wider than the rules of
// SQL Server and SAP HANA, and keep a name within its place.
const (
	instancePattern  = `[A-Za-z0-9_$#-]{1,64}`
	databasePattern  = `[^/\\;'"\[\]\x00-\x1f\x7f ][^/\\;'"\[\]\x00-\x1f\x7f]{0,127}`
	directoryPattern = `([A-Za-z]:\\|/)[^\x00-\x1f\x7f"<>|*?]{0,255}`
)

var (
	instanceName  = regexp.MustCompile(schema.Whole(instancePattern))
	databaseName  = regexp.MustCompile(schema.Whole(databasePattern))
	directoryPath = regexp.MustCompile(schema.Whole(directoryPattern))
	// parentDirectory finds a part of a path that leaves its directory.
	parentDirectory = regexp.MustCompile(`(^|[/\\])\.\.([/\\]|$)`)
)

func restoreDatabaseParameters() schema.Parameters {
	const overwrite = "`true`: replace what exists; default: fail"
	points := itemPointFields().With(schema.Fields{
		"recoveryPoint": {
			Required: true, Meaning: "an object with exactly one of `id`, `latest`, `latestBefore` and `pointInTime`",
			Rule: schema.Object{"oneOf": []schema.Object{schema.Given("id"), schema.Is("latest", true), schema.Given("latestBefore"), schema.Given("pointInTime")}},
		},
		"recoveryPoint.pointInTime": {Meaning: "a time within the log chain of the database"},
	})
	return schema.Parameters{
		Type: reflect.TypeFor[RestoreDatabase](),
		Fields: points.With(retryFailedJobFields()).With(itemRehydrationFields()).With(schema.Fields{
			"itemId":                      {Required: true, Rule: itemRule(), Items: []schema.ItemKind{schema.DatabaseItem}, Meaning: "resource ID of the protected database"},
			"toOriginal":                  {When: "this, `toDatabase` or `toFiles`", Meaning: "`true`: restore into the database itself, whose virtual machine is an allowed restore target"},
			"toDatabase":                  {When: "this, `toOriginal` or `toFiles`", Meaning: "an object: restore as another database"},
			"toDatabase.virtualMachineId": {Required: true, Rule: machineRule(), Meaning: "resource ID of the target's virtual machine, which is registered with the vault and is an allowed restore target"},
			"toDatabase.instance":         {Required: true, Rule: schema.Matches(instancePattern), Meaning: "instance of SQL Server, such as `MSSQLSERVER`, or system of SAP HANA"},
			"toDatabase.database":         {Required: true, Rule: schema.Matches(databasePattern), Meaning: "name of the target database"},
			"toDatabase.overwrite":        {Meaning: overwrite},
			"toFiles":                     {When: "this, `toOriginal` or `toDatabase`", Meaning: "an object: restore the backup as files"},
			"toFiles.virtualMachineId":    {Required: true, Rule: machineRule(), Meaning: "resource ID of the target's virtual machine, which is registered with the vault and is an allowed restore target"},
			"toFiles.directory": {
				Required: true, Meaning: "absolute path of a directory on that machine",
				Rule: schema.Object{"pattern": schema.Whole(directoryPattern), "not": schema.Object{"pattern": parentDirectory.String()}},
			},
			"toFiles.overwrite": {Meaning: overwrite},
		}),
		Rules: schema.Object{
			"oneOf": []schema.Object{schema.Is("toOriginal", true), schema.Given("toDatabase"), schema.Given("toFiles")},
			"if":    schema.Given("rehydration"), "then": schema.Object{"properties": schema.Object{"recoveryPoint": schema.Missing("pointInTime")}},
		},
	}
}

func (a azure) checkRestoreDatabase(c *checks, p *RestoreDatabase) {
	if _, err := recoveryservices.ParseItemID(p.ItemID); err != nil {
		c.add("itemId", err.Error(), wantItem)
	}
	c.databasePoint(p.RecoveryPoint, a.Now())
	c.retryFailedJob(p.RetryFailedJob)
	if c.rehydration(p.Rehydration); p.Rehydration != nil && p.RecoveryPoint.PointInTime != nil {
		c.add("rehydration", "is set for a time of the log chain", "no rehydration, or a recovery point that is in the archive tier")
	}
	given := 0
	for _, is := range []bool{p.ToOriginal, p.ToDatabase != nil, p.ToFiles != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		c.add("toDatabase", fmt.Sprintf("is one of %d targets", given), "exactly one of toOriginal, toDatabase and toFiles")
	}
	if d := p.ToDatabase; d != nil {
		c.databaseServer("toDatabase.virtualMachineId", d.VirtualMachineID, a.Guardrails)
		if !instanceName.MatchString(d.Instance) {
			c.add("toDatabase.instance", fmt.Sprintf("%q is not the name of an instance", d.Instance), "letters, digits and the characters _$#-, such as MSSQLSERVER")
		}
		if !databaseName.MatchString(d.Database) {
			c.add("toDatabase.database", fmt.Sprintf("%q is not the name of a database", d.Database), `1 to 128 characters without / \ ; ' " [ ] and control characters`)
		}
	}
	if f := p.ToFiles; f != nil {
		c.databaseServer("toFiles.virtualMachineId", f.VirtualMachineID, a.Guardrails)
		if !directoryPath.MatchString(f.Directory) || parentDirectory.MatchString(f.Directory) {
			c.add("toFiles.directory", fmt.Sprintf("%q is not an absolute path", f.Directory), `an absolute path without "..", such as F:\restored or /hana/restored`)
		}
	}
}

func (c *checks) databaseServer(field, id string, g Guardrails) {
	if c.machine(field, id) {
		c.allowed(field, id, g.allowsResource(id))
	}
}

func (c *checks) databasePoint(p DatabasePoint, now time.Time) {
	if p.PointInTime == nil {
		c.itemPoint(p.RecoveryPoint)
		return
	}
	if p.ID != "" || p.Latest || p.LatestBefore != nil {
		c.add("recoveryPoint", "has pointInTime and another choice", "exactly one of id, latest, latestBefore and pointInTime")
	}
	if p.PointInTime.After(now) {
		c.add("recoveryPoint.pointInTime", p.PointInTime.UTC().Format(time.RFC3339)+" is in the future", "a time within the log chain of the database")
	}
}

// filePath returns the path of a database's file in the target: in the instance's
// directory, with a name that no other restore uses.
func filePath(directory, logicalName, source string, now time.Time) string {
	separator := `\`
	if strings.HasPrefix(directory, "/") {
		separator = "/"
	}
	name := source[strings.LastIndexAny(source, `/\`)+1:]
	extension := ""
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		extension = name[dot:]
	}
	return strings.TrimRight(directory, `/\`) + separator + fmt.Sprintf("%s_%d%s", logicalName, now.Unix(), extension)
}
