package parameters

import (
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/schema"
)

// The flags that name a protected item by what it protects, instead of --item.
const (
	itemMachineFlag  = "item-vm"
	itemInstanceFlag = "item-instance"
	itemSystemFlag   = "item-system"
	itemDatabaseFlag = "item-database"
)

const itemMachineType = "Microsoft.Compute/virtualMachines"

// nameFlags returns the flags that name the item of a parameter; none for
// parameters without such items.
func nameFlags(p schema.Parameter) (all []Flag) {
	add := func(name, meaning string) {
		all = append(all, Flag{Name: name, Parameter: schema.Parameter{Path: p.Path, Kind: schema.Text, Field: schema.Field{Meaning: meaning}}, NamesItem: true})
	}
	machines, databases := slices.Contains(p.Items, schema.MachineItem), slices.Contains(p.Items, schema.DatabaseItem)
	if !machines && !databases {
		return nil
	}
	const instead = "name or resource ID of the protected virtual machine, instead of --item; with --vault"
	if !databases {
		add(itemMachineFlag, instead)
		return all
	}
	if machines {
		add(itemMachineFlag, instead+". For a database, its virtual machine")
	} else {
		add(itemMachineFlag, "name or resource ID of the database's virtual machine, instead of --item; with --vault")
	}
	add(itemInstanceFlag, "with --item-vm: instance of the protected database of SQL Server, such as MSSQLSERVER")
	add(itemSystemFlag, "with --item-vm: system of the protected database of SAP HANA, such as HXE")
	add(itemDatabaseFlag, "with --item-instance or --item-system: name of the protected database")
	return all
}

// ItemNames describes the flags that can take the place of the flag of a
// parameter; empty if there are none.
func ItemNames(p schema.Parameter) string {
	switch {
	case len(p.Items) == 0:
		return ""
	case !slices.Contains(p.Items, schema.DatabaseItem):
		return "--item-vm NAME"
	case !slices.Contains(p.Items, schema.MachineItem):
		return "--item-vm NAME --item-database NAME, and --item-instance NAME (SQL Server) or --item-system NAME (SAP HANA)"
	}
	return "--item-vm NAME; for a database also --item-database NAME, and --item-instance NAME (SQL Server) or --item-system NAME (SAP HANA)"
}

// itemNames are the values of the flags that name an item, by flag.
type itemNames map[string]string

// putItem sets the ID of the item that the flags name.
func (b *builder) putItem(names itemNames, givenID bool) error {
	if len(names) == 0 {
		return nil
	}
	path := ""
	for _, flag := range b.flow.Flags {
		if flag.NamesItem {
			path = flag.Path
		}
	}
	if givenID {
		flag, _ := b.flow.byPath(path)
		return &cli.UsageError{Text: fmt.Sprintf("--%s and its names are both set", flag.Name), Remedy: fmt.Sprintf("leave out --%s, or the flags that begin with --item-", flag.Name)}
	}
	id, err := b.scope.itemID(names)
	if err != nil {
		return err
	}
	b.vaultUsed = true
	return b.put("--"+itemMachineFlag, path, id, false)
}

// itemID returns the resource ID of the item. Azure makes it of the names of the
// virtual machine, the instance and the database.
// Source: learn.microsoft.com, "Back up an Azure VM using Azure Backup via REST
// API", "Back up SQL Server databases in Azure VMs via REST API".
func (s Scope) itemID(names itemNames) (string, error) {
	machine, isMachine := names[itemMachineFlag]
	if !isMachine {
		return "", &cli.UsageError{Text: "the names of the item have no virtual machine", Remedy: "add --item-vm NAME, or use the resource ID in --item"}
	}
	vault, err := s.vaultOf(machine)
	if err != nil {
		return "", err
	}
	group, name, err := s.machine(machine)
	if err != nil {
		return "", err
	}
	container, item, err := itemOf(names, group+";"+name)
	if err != nil {
		return "", err
	}
	return vault + "/" + fabricType + "/" + fabricName + "/protectionContainers/" + container + "/protectedItems/" + item, nil
}

// vaultOf returns the resource ID of the vault of an item.
func (s Scope) vaultOf(machine string) (string, error) {
	if s.Vault == "" {
		return "", &cli.UsageError{Text: fmt.Sprintf("--%s %q does not name a vault", itemMachineFlag, machine), Remedy: "add --vault NAME, or use the resource ID in --item"}
	}
	if strings.HasPrefix(s.Vault, "/") {
		return s.prefix("--"+itemMachineFlag, machine, "Microsoft.RecoveryServices", "vaults", "", s.Vault)
	}
	id, _, err := s.resolve(Flag{Parameter: schema.Parameter{ResourceTypes: []string{RecoveryServicesVault}}}, "--"+vaultFlag, s.Vault)
	return id, err
}

// machine returns the resource group and the name of a virtual machine.
func (s Scope) machine(value string) (group, name string, err error) {
	label := "--" + itemMachineFlag
	id, _, err := s.resolve(Flag{Parameter: schema.Parameter{ResourceTypes: []string{itemMachineType}}}, label, value)
	if err != nil {
		return "", "", err
	}
	const parts = 9 // "", subscriptions, ID, resourceGroups, GROUP, providers, PROVIDER, TYPE, NAME
	split := strings.Split(id, "/")
	if len(split) != parts || !strings.EqualFold(split[6]+"/"+split[7], itemMachineType) || split[4] == "" || split[8] == "" || strings.ContainsAny(split[4]+split[8], ";%?#") {
		return "", "", wrong(label, value, "is not a virtual machine", "use its name, GROUP/NAME, or its resource ID /subscriptions/{id}/resourceGroups/{group}/providers/"+itemMachineType+"/{name}")
	}
	return split[4], split[8], nil
}

// itemOf returns the names that Azure gives to the container and the item.
func itemOf(names itemNames, machine string) (container, item string, err error) {
	for _, flag := range []string{itemInstanceFlag, itemSystemFlag, itemDatabaseFlag} {
		if value, given := names[flag]; given && (value == "" || strings.ContainsAny(value, "/;%?#")) {
			return "", "", wrong("--"+flag, value, "is not a name", "use a name without / ; % ? and #, or the resource ID in --item")
		}
	}
	instance, isSQL := names[itemInstanceFlag]
	system, isHANA := names[itemSystemFlag]
	database, isDatabase := names[itemDatabaseFlag]
	switch {
	case isSQL && isHANA:
		return "", "", &cli.UsageError{Text: "--item-instance and --item-system are both set", Remedy: "use --item-instance for SQL Server, or --item-system for SAP HANA"}
	case isDatabase && !isSQL && !isHANA:
		return "", "", &cli.UsageError{Text: fmt.Sprintf("--item-database %q names no instance", database), Remedy: "add --item-instance NAME for SQL Server, or --item-system NAME for SAP HANA"}
	case !isDatabase && (isSQL || isHANA):
		return "", "", &cli.UsageError{Text: "the names of the item have no database", Remedy: "add --item-database NAME"}
	case isSQL:
		return "VMAppContainer;Compute;" + machine, "SQLDataBase;" + instance + ";" + database, nil
	case isHANA:
		return "VMAppContainer;Compute;" + machine, "SAPHanaDatabase;" + system + ";" + database, nil
	}
	return "IaasVMContainer;iaasvmcontainerv2;" + machine, "VM;iaasvmcontainerv2;" + machine, nil
}
