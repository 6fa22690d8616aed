package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// ProtectDatabase protects databases of SQL Server or SAP HANA on a virtual
// machine with a policy.
// Sources: learn.microsoft.com, "Back up SQL server databases in Azure VMs using
// Azure Backup via REST API", "Back up SAP HANA databases in Azure VMs via REST
// API".
type ProtectDatabase struct {
	VaultID          string `json:"vaultId"`
	VirtualMachineID string `json:"virtualMachineId"`
	// Workload is SQL or SAPHana.
	Workload string `json:"workload"`
	// Instance is the instance of SQL Server, or the system of SAP HANA.
	Instance string `json:"instance"`
	// Databases are names, in which * stands for any characters; AutoProtect
	// protects all databases of the instance, later ones included.
	Databases   []string `json:"databases,omitempty"`
	AutoProtect bool     `json:"autoProtect,omitempty"`
	// Policy is the name or resource ID of one of the vault's policies.
	Policy string `json:"policy"`
}

const (
	workloadSQLName  = "SQL"
	workloadHanaName = "SAPHana"
	// maxDatabases is the maximum number of databases of one operation, whose
	// names are saved with it.
	maxDatabases    = 100
	databasesFilter = `[^/\\;\x00-\x1f\x7f]{1,128}`
)

var databaseFilter = regexp.MustCompile(schema.Whole(databasesFilter))

func (p ProtectDatabase) workload() recoveryservices.Workload {
	if p.Workload == workloadHanaName {
		return recoveryservices.WorkloadHana
	}
	return recoveryservices.WorkloadSQL
}

// wants reports whether the request names a database.
func (p ProtectDatabase) wants(name string) bool {
	return slices.ContainsFunc(p.Databases, func(pattern string) bool { return likeName(pattern, name) })
}

// likeName compares a name with a pattern in which * stands for any characters.
func likeName(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	for n := range parts {
		parts[n] = regexp.QuoteMeta(parts[n])
	}
	matched, err := regexp.MatchString(`(?is)^`+strings.Join(parts, ".*")+`$`, name)
	return err == nil && matched
}

func protectDatabaseParameters() schema.Parameters {
	return schema.Parameters{
		Type: reflect.TypeFor[ProtectDatabase](),
		Fields: schema.Fields{
			"vaultId":          {Required: true, Rule: vaultRule(), Meaning: "resource ID of the Recovery Services vault, which is in the machine's region"},
			"virtualMachineId": {Required: true, Rule: machineRule(), Meaning: "resource ID of the virtual machine with the databases"},
			"workload":         {Required: true, Rule: schema.OneOf(workloadSQLName, workloadHanaName), Meaning: "`SQL` or `SAPHana`"},
			"instance":         {Required: true, Rule: schema.Matches(instancePattern), Meaning: "instance of SQL Server, such as `MSSQLSERVER`, or system of SAP HANA"},
			"databases":        {When: "this or `autoProtect`", Rule: schema.Object{"minItems": 1, "maxItems": maxDatabases}, Meaning: "names of databases, in which `*` stands for any characters. Up to 100 databases are protected by one operation"},
			"databases[]":      {Rule: schema.Matches(databasesFilter)},
			"autoProtect":      {When: "this or `databases`", Meaning: "`true`: let Azure protect all databases of the instance, and those that are created later"},
			"policy":           {Required: true, Rule: policyRule(), Meaning: "name of one of the vault's policies, or its resource ID. It must be for the workload"},
		},
		Rules: schema.Object{"oneOf": []schema.Object{schema.Given("databases"), schema.Is("autoProtect", true)}},
	}
}

func checkProtectDatabase(c *checks, p *ProtectDatabase) {
	vault := c.vault("vaultId", p.VaultID)
	c.machine("virtualMachineId", p.VirtualMachineID)
	p.Policy = c.policy("policy", p.Policy, vault)
	if p.Workload != workloadSQLName && p.Workload != workloadHanaName {
		c.add("workload", fmt.Sprintf("%q is not a workload", p.Workload), "SQL or SAPHana")
	}
	if !instanceName.MatchString(p.Instance) {
		c.add("instance", fmt.Sprintf("%q is not the name of an instance", p.Instance), "letters, digits and the characters _$#-, such as MSSQLSERVER")
	}
	switch {
	case p.AutoProtect == (p.Databases != nil):
		c.add("databases", "and autoProtect are both set or both missing", "exactly one of them")
	case p.Databases != nil && (len(p.Databases) == 0 || len(p.Databases) > maxDatabases):
		c.add("databases", fmt.Sprintf("has %d entries", len(p.Databases)), fmt.Sprintf("1 to %d names", maxDatabases))
	}
	for n, name := range p.Databases {
		if !databaseFilter.MatchString(name) {
			c.add(fmt.Sprintf("databases[%d]", n), fmt.Sprintf("%q is not a name of databases", name), `1 to 128 characters without / \ ; and control characters; * stands for any characters`)
		}
	}
}

func (a azure) protectDatabase() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "protect-database", Version: 1,
			// The names of the databases' items are known only after the registration
			// of their machine: one operation at a time works on a machine.
			Item:     parameterKey(func(p ProtectDatabase) string { return resourceKey(p.VirtualMachineID) + "/databases" }),
			Summary:  "register a virtual machine with a vault and protect its databases of SQL Server or SAP HANA",
			Deadline: 48 * time.Hour,
			Priority: operation.PriorityProtect,
			Check:    check(checkProtectDatabase),
			Steps:    a.protectDatabaseSteps(),
		},
		Role:       roles.Protect,
		Parameters: protectDatabaseParameters,
		Intro: "Protects databases of SQL Server or SAP HANA on a virtual machine with a policy: one database, several by pattern, or all of an instance by " +
			"Azure's auto-protection. It registers the machine with the vault first, which takes minutes. It is done when the vault lists every matching " +
			"database as protected with that policy, or the instance as protected automatically.",
		Notes: "Databases are protected one after the other. `learned.protectedDatabases` contains those that this operation has protected. A database that is " +
			"soft-deleted, or that another policy protects, ends the operation with an error; the others stay protected.",
		Examples: []Example{{
			File: "protect-database", About: "SQL databases sales*", Key: "protect-sales", Deadline: "P1D", Labels: team("databases"),
			Parameters: ProtectDatabase{
				VaultID: exampleVault, VirtualMachineID: exampleMachines + "sqlvm2", Workload: workloadSQLName, Instance: "MSSQLSERVER",
				Databases: []string{"sales*"}, Policy: "HourlyLogBackup",
			},
			Cost: "two databases of a machine that the vault does not know yet",
		}},
	}
}

func (a azure) protectDatabaseSteps() []step.Step {
	lists := []string{"BackupProtectedItems_List", "BackupProtectableItems_List"}
	return append([]step.Step{
		{
			Name: "check-policy", Effect: step.Read, Run: forVault(a.checkDatabasePolicy), Calls: []string{"ProtectionPolicies_Get"},
			Asks: "reads the policy", Then: "a policy that does not exist or is not for the workload is rejected before anything is changed",
		},
		{
			Name: "find-registration", Effect: step.Read, Run: forVault(a.findServer), Calls: []string{"BackupProtectionContainers_List"},
			Asks: "lists the vault's registered virtual machines", Then: "a registered machine continues with `pick-database`",
		},
		{
			Name: "refresh", Effect: step.Repeatable, Run: forVault(a.refreshServers), Calls: []string{"ProtectionContainers_Refresh"},
			Asks: "lets the vault discover virtual machines with databases",
		},
		a.awaitOperation("await-refresh", operationWait{retry: "refresh", what: "the discovery of virtual machines"}),
		{
			Name: "find-container", Effect: step.Read, Run: forVault(a.findProtectableServer), Calls: []string{"ProtectableContainers_List"},
			Asks: "lists the virtual machines that can be registered", Then: "the container's name is read from the list, never composed. A machine that is not listed goes back to `find-registration`",
		},
		{
			Name: "register", Effect: step.Idempotent, Run: forVault(a.registerServer), Calls: []string{"ProtectionContainers_Register"},
			Asks: "registers the virtual machine with the vault; Azure then discovers its databases by itself",
		},
		a.awaitOperation("await-registration", operationWait{retry: "register", gone: "find-registration", what: "the registration of the virtual machine"}),
		{
			Name: "pick-database", Effect: step.Read, Run: forVault(a.pickDatabase), Calls: lists,
			Asks: "lists the protected databases, and those that can be protected",
			Then: "the next matching database continues with `enable-protection`, an instance with `find-intent`. Without one left, the operation ends. A name that matches nothing continues with `inquire`, once",
		},
		{
			Name: "enable-protection", Effect: step.Idempotent, Run: forVault(a.enableDatabase), Calls: []string{"ProtectedItems_CreateOrUpdate"},
			Asks: "writes the protected item with the policy",
		},
		a.awaitOperation("await-protection", operationWait{
			retry: "enable-protection", undiscovered: "inquire", job: "await-protection-job", gone: "note-database", what: "enabling protection",
		}),
		awaitJob("await-protection-job", jobWait{reader: a.serviceJob(requestedVault[ProtectDatabase]), retry: "enable-protection", undiscovered: "inquire"}),
		{
			Name: "note-database", Effect: step.Read, Run: forVault(a.noteDatabase), Asks: "calls nothing; notes the database", Then: "continues with `pick-database`",
		},
		{
			Name: "inquire", Effect: step.Repeatable, Run: forVault(a.inquireServer), Calls: []string{"ProtectionContainers_Inquire"},
			Asks: "lets the vault discover the machine's databases",
		},
		a.awaitOperation("await-inquiry", operationWait{retry: "inquire", what: "the inquiry for databases"}),
		{
			Name: "note-inquiry", Effect: step.Read, Asks: "calls nothing; notes the inquiry", Then: "continues with `pick-database`",
			Run: func(context.Context, step.Call) (operation.Outcome, error) {
				return learn(skipTo("pick-database", "the vault has inquired the machine"), map[string]string{learnedInquired: "true"}), nil
			},
		},
	}, a.autoProtectSteps()...)
}

// The facts of protected databases.
const (
	learnedInquired   = "inquired"
	learnedDatabases  = "protectedDatabases"
	learnedInstanceID = "instanceId"
	// learnedDatabaseContainer is the container of a database as its own list names
	// it, in lower case.
	learnedDatabaseContainer = "databaseContainer"
)

func (p ProtectDatabase) recoveryVault() string { return p.VaultID }

func (a azure) checkDatabasePolicy(ctx context.Context, c step.Call, p ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	policy, err := a.readPolicy(ctx, c, vault, p.Policy, recoveryservices.ManagementAzureWorkload, string(p.workload()), p.Workload+" databases")
	if err != nil {
		return operation.Outcome{}, err
	}
	return learn(next("policy "+policy.Name+" fits "+p.Workload+" databases"), map[string]string{learnedPolicy: policy.ID}), nil
}

func (a azure) findServer(ctx context.Context, c step.Call, p ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	containers, err := a.recoveryServices(c).ListRegisteredWorkloadContainers(ctx, vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, container := range containers {
		if resourceid.Equal(container.SourceResourceID, p.VirtualMachineID) && registered(container) {
			return learn(skipTo("pick-database", "the machine is registered as "+container.Name), map[string]string{learnedContainer: container.Name}), nil
		}
	}
	return next("the machine is not registered yet"), nil
}

func (a azure) refreshServers(ctx context.Context, c step.Call, _ ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).RefreshFor(ctx, vault, recoveryservices.ManagementAzureWorkload)
	return accepted(submitted, err, "the vault discovers virtual machines with databases")
}

func (a azure) findProtectableServer(ctx context.Context, c step.Call, p ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	containers, err := a.recoveryServices(c).ListProtectableWorkloadContainers(ctx, vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	for _, container := range containers {
		if resourceid.Equal(container.ContainerID, p.VirtualMachineID) {
			return learn(next("the vault has discovered the machine"), map[string]string{learnedContainer: container.Name, learnedSource: container.ContainerID}), nil
		}
	}
	return backTo("find-registration", notYet("VirtualMachineNotDiscovered", fmt.Sprintf("vault %s does not list %s as a virtual machine that it can register", vault.Name, p.VirtualMachineID),
		"Check that the machine exists, runs, is in the vault's region, and is not registered with another vault.")), nil
}

func (a azure) registerServer(ctx context.Context, c step.Call, p ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	known := c.Operation.Learned
	submitted, err := a.recoveryServices(c).RegisterMachine(ctx, vault, known[learnedContainer], known[learnedSource], p.workload())
	return accepted(submitted, err, "the virtual machine is being registered")
}

func (a azure) inquireServer(ctx context.Context, c step.Call, p ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	submitted, err := a.recoveryServices(c).InquireDatabases(ctx, vault, c.Operation.Learned[learnedContainer], p.workload())
	return accepted(submitted, err, "the vault discovers the databases of the virtual machine")
}

// pickDatabase finds the next database to protect, or the instance.
func (a azure) pickDatabase(ctx context.Context, c step.Call, p ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	protectable, err := a.recoveryServices(c).ListProtectableDatabases(ctx, vault, p.workload())
	if err != nil {
		return operation.Outcome{}, err
	}
	here := func(container string) bool {
		return sameEnd(strings.Split(container, ";"), strings.Split(c.Operation.Learned[learnedContainer], ";"))
	}
	if p.AutoProtect {
		return p.pickInstance(c, protectable, here)
	}
	protected, err := a.recoveryServices(c).ListProtectedItems(ctx, vault, string(p.workload()))
	if err != nil {
		return operation.Outcome{}, err
	}
	matched := map[string]bool{}
	for _, i := range protected {
		if !here(i.ContainerName) || !strings.EqualFold(i.Parent, p.Instance) || !p.wants(i.FriendlyName) {
			continue
		}
		if err := underPolicy(c, i); err != nil {
			return operation.Outcome{}, err
		}
		matched[strings.ToLower(i.FriendlyName)] = true
	}
	return p.nextDatabase(c, protectable, here, matched)
}

// nextDatabase continues with the first matching database that is not protected.
func (p ProtectDatabase) nextDatabase(c step.Call, protectable []recoveryservices.ProtectableItem, here func(string) bool, matched map[string]bool) (operation.Outcome, error) {
	done := databasesOf(c)
	for _, i := range protectable {
		name := strings.ToLower(i.FriendlyName)
		if !here(i.ContainerName) || !strings.EqualFold(i.Type, string(p.workload())) || !strings.EqualFold(i.Parent, p.Instance) || !p.wants(i.FriendlyName) || matched[name] {
			continue
		}
		switch {
		case slices.Contains(done, i.FriendlyName):
			return operation.Outcome{}, notYet("ItemNotVisible", "protection of "+i.FriendlyName+" was enabled, but the vault does not list the item yet")
		case !i.Protectable:
			return operation.Outcome{}, fatal("DatabaseNotProtectable", fmt.Sprintf("Azure cannot protect database %s: %s", i.FriendlyName, i.Problem), "Correct it on the virtual machine, or name other databases.")
		case len(done) >= maxDatabases:
			return operation.Outcome{}, fatal("TooManyDatabases", fmt.Sprintf("more than %d databases match", maxDatabases), "Name fewer databases in parameters.databases, or use parameters.autoProtect.")
		}
		return learn(skipTo("enable-protection", "database "+i.FriendlyName+" is protected next"), map[string]string{
			learnedItemName: i.ItemName, learnedName: i.FriendlyName, learnedDatabaseContainer: i.ContainerName,
		}), nil
	}
	for _, pattern := range p.Databases {
		found := false
		for name := range matched {
			found = found || likeName(pattern, name)
		}
		switch {
		case found:
		case c.Operation.Learned[learnedInquired] == "":
			return skipTo("inquire", "the vault knows no database "+pattern), nil
		default:
			return operation.Outcome{}, fatal("DatabaseNotFound", fmt.Sprintf("the vault knows no %s database %s of instance %s", p.Workload, pattern, p.Instance),
				"Check parameters.instance and parameters.databases, and that the database is online.")
		}
	}
	return finish(fmt.Sprintf("%d databases are protected with policy %s", len(matched), p.Policy)), nil
}

// databasesOf returns the databases that this operation has protected.
func databasesOf(c step.Call) (names []string) {
	if json.Unmarshal([]byte(c.Operation.Learned[learnedDatabases]), &names) != nil {
		return nil // none yet
	}
	return names
}

func (a azure) enableDatabase(ctx context.Context, c step.Call, p ProtectDatabase, vault resourceid.VaultID) (operation.Outcome, error) {
	known := c.Operation.Learned
	submitted, err := a.recoveryServices(c).ProtectDatabase(ctx, vault, known[learnedDatabaseContainer], known[learnedItemName], known[learnedPolicy], p.workload())
	return accepted(submitted, err, "protection of "+known[learnedName]+" is being enabled")
}

func (a azure) noteDatabase(_ context.Context, c step.Call, _ ProtectDatabase, _ resourceid.VaultID) (operation.Outcome, error) {
	raw, err := json.Marshal(append(databasesOf(c), c.Operation.Learned[learnedName]))
	if err != nil {
		return operation.Outcome{}, azerr.Malformed(err)
	}
	return learn(skipTo("pick-database", "protection of "+c.Operation.Learned[learnedName]+" was enabled"), map[string]string{learnedDatabases: string(raw)}), nil
}
