package datasource

import (
	"net/url"
	"strings"

	"azbackupflow/internal/arm/resourceid"
)

// Database names a database of SQL Server or SAP HANA on a virtual machine.
type Database struct {
	// MachineID is the resource ID of the virtual machine.
	MachineID string
	// Workload is SQLDataBase or SAPHanaDatabase.
	Workload string
	// Instance is the instance of SQL Server or the system of SAP HANA.
	Instance, Name string
}

// The part of a database's ID that names its server, by workload.
const (
	workloadSQL    = "SQLDataBase"
	workloadHana   = "SAPHanaDatabase"
	segmentSQL     = "sqlInstances"
	segmentHana    = "sapHanaSystems"
	partDatabases  = "databases"
	partsOfMachine = 9
	partsOfID      = partsOfMachine + 4
)

// ID returns an ID of the database below its virtual machine. Azure has none that
// does not depend on a vault. Names are escaped: SQL Server allows any character
// in them.
func (d Database) ID() string {
	segment := segmentSQL
	if strings.EqualFold(d.Workload, workloadHana) {
		segment = segmentHana
	}
	return strings.Join([]string{d.MachineID, segment, url.PathEscape(d.Instance), partDatabases, url.PathEscape(d.Name)}, "/")
}

// ParseDatabaseID parses an ID that Database.ID returned, in any casing; ok is
// false for other texts.
func ParseDatabaseID(id string) (d Database, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != partsOfID || !strings.EqualFold(parts[partsOfMachine+2], partDatabases) {
		return Database{}, false
	}
	switch segment := parts[partsOfMachine]; {
	case strings.EqualFold(segment, segmentSQL):
		d.Workload = workloadSQL
	case strings.EqualFold(segment, segmentHana):
		d.Workload = workloadHana
	default:
		return Database{}, false
	}
	d.MachineID = strings.Join(parts[:partsOfMachine], "/")
	machine, err := resourceid.Parse(d.MachineID)
	if err != nil || !strings.EqualFold(machine.ResourceType.String(), TypeVirtualMachine) {
		return Database{}, false
	}
	for _, part := range []struct {
		from string
		to   *string
	}{{parts[partsOfMachine+1], &d.Instance}, {parts[partsOfMachine+3], &d.Name}} {
		if *part.to, err = url.PathUnescape(part.from); err != nil || *part.to == "" {
			return Database{}, false
		}
	}
	return d, true
}
