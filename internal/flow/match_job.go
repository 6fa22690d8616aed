package flow

import (
	"strings"

	"azbackupflow/internal/arm/recoveryservices"
)

// match reports whether a job belongs to an item. Jobs carry names, but no item
// ID.
type match int

const (
	otherItem match = iota
	// ambiguousItem: the names fit, but do not prove it.
	ambiguousItem
	sameItem
)

// ofItem compares a job's names with the facts that were learned of the item.
//
//   - The job of a file share names the share and its storage account.
//   - The job of a virtual machine names the machine and, if Azure returns it,
//     its container: two resource groups may each have a vm1.
//   - The job of a database names it as "orders [sqlvm]" or
//     "MSSQLSERVER/orders [sqlvm.contoso.com]", as Learn's pages about SQL Server
//     and SAP HANA backup show. Every server has a master database, so a server
//     name that differs from the virtual machine's name is ambiguous.
func ofItem(job recoveryservices.Job, known map[string]string) match {
	id, err := recoveryservices.ParseItemID(known[learnedItem])
	if err != nil {
		return otherItem
	}
	source := known[learnedSource]
	name, server, _ := strings.Cut(strings.TrimSuffix(job.EntityFriendlyName, "]"), " [")
	server, _, _ = strings.Cut(server, ".")
	container := strings.Split(id.Container, ";")
	switch {
	case !strings.EqualFold(name, known[learnedName]) && !strings.EqualFold(name, instanceOf(id.Item)+"/"+known[learnedName]),
		job.StorageAccountName != "" && !strings.EqualFold(job.StorageAccountName, source[strings.LastIndexByte(source, '/')+1:]),
		job.ContainerName != "" && !sameEnd(strings.Split(job.ContainerName, ";"), container):
		return otherItem
	case server != "" && !strings.EqualFold(server, container[len(container)-1]):
		return ambiguousItem
	}
	return sameItem
}

// instanceOf returns the database server's instance from an item's name such as
// SQLDataBase;MSSQLSERVER;orders; it is empty for other items.
func instanceOf(item string) string {
	if parts := strings.Split(item, ";"); len(parts) == 3 {
		return parts[1]
	}
	return ""
}

// sameEnd compares the last two parts of container names, the resource group and
// the machine: the parts before them differ between answers. Names without these
// parts are treated as equal.
func sameEnd(a, b []string) bool {
	if len(a) < 2 || len(b) < 2 {
		return true
	}
	return strings.EqualFold(strings.Join(a[len(a)-2:], ";"), strings.Join(b[len(b)-2:], ";"))
}
