package flow

import (
	"strings"

	"azbackupflow/internal/arm/recoveryservices"
)

// match says whether a job is one of an item. Jobs carry names, no item id.
type match int

const (
	otherItem match = iota
	// doubtfulItem: the names fit, but do not settle it.
	doubtfulItem
	sameItem
)

// ofItem compares a job's names with those that were learned of the item.
//
//   - A file share's job names the share and its storage account.
//   - A virtual machine's names the machine, and its container where Azure
//     gives one: two resource groups may each have a vm1.
//   - A database's names it as "orders [sqlvm]" or
//     "MSSQLSERVER/orders [sqlvm.contoso.com]", as jobs on Learn's pages about
//     SQL Server and SAP HANA backup show. Every server has a master: a server
//     that is not called like the virtual machine leaves a doubt.
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
		return doubtfulItem
	}
	return sameItem
}

// instanceOf is the database server's instance in an item's name such as
// SQLDataBase;MSSQLSERVER;orders; empty for other items.
func instanceOf(item string) string {
	if parts := strings.Split(item, ";"); len(parts) == 3 {
		return parts[1]
	}
	return ""
}

// sameEnd compares the last two parts of containers' names, the resource group
// and the machine: what is before them differs from answer to answer. A name
// without them says nothing.
func sameEnd(a, b []string) bool {
	if len(a) < 2 || len(b) < 2 {
		return true
	}
	return strings.EqualFold(strings.Join(a[len(a)-2:], ";"), strings.Join(b[len(b)-2:], ";"))
}
