package flow

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// RestoreVM restores a protected virtual machine: its disks, as a new machine, or
// into the machine itself.
// Source: learn.microsoft.com, "Restore Azure VMs using REST API".
type RestoreVM struct {
	// ItemID is the protected virtual machine.
	ItemID        string        `json:"itemId"`
	RecoveryPoint RecoveryPoint `json:"recoveryPoint"`
	// StagingAccountID is a storage account in the vault's region. The setting
	// AZBACKUPFLOW_RESTORE_TARGETS must allow it, and the target.
	StagingAccountID string `json:"stagingAccountId"`
	// AsDisks, AsMachine or ReplaceDisks is the target.
	AsDisks      *AsDisks   `json:"asDisks,omitempty"`
	AsMachine    *AsMachine `json:"asMachine,omitempty"`
	ReplaceDisks bool       `json:"replaceDisks,omitempty"`
	// DataDisks selects the data disks; nil restores all of them. The operating
	// system's disk is always restored.
	DataDisks *DataDisks `json:"dataDisks,omitempty"`
	// Rehydration selects recovery points of the archive tier.
	Rehydration *Rehydration `json:"rehydration,omitempty"`
	// RetryFailedJob is how often a job that failed is started again.
	RetryFailedJob int `json:"retryFailedJob,omitempty"`
}

// AsDisks restores the disks alone.
type AsDisks struct {
	// ResourceGroupID receives managed disks.
	ResourceGroupID string `json:"resourceGroupId,omitempty"`
	// Unmanaged copies VHD files into the staging account instead.
	Unmanaged bool `json:"unmanaged,omitempty"`
}

// AsMachine is a virtual machine that the restore creates.
type AsMachine struct {
	ResourceGroupID  string `json:"resourceGroupId"`
	Name             string `json:"name"`
	VirtualNetworkID string `json:"virtualNetworkId"`
	Subnet           string `json:"subnet"`
}

// id returns the resource ID of the machine.
func (m AsMachine) id() string {
	return strings.TrimRight(m.ResourceGroupID, "/") + "/providers/" + machineType + "/" + m.Name
}

// DataDisks selects data disks by their logical unit numbers.
type DataDisks struct {
	// None is set to work on the operating system's disk alone.
	None bool  `json:"none,omitempty"`
	LUNs []int `json:"luns,omitempty"`
}

// maxLUN is the highest logical unit number of a data disk.
const maxLUN = 63

func dataDisksFields(name, meaning string) schema.Fields {
	return schema.Fields{
		name:             {Meaning: meaning, Rule: schema.Object{"oneOf": []schema.Object{schema.Is("none", true), schema.Given("luns")}}},
		name + ".none":   {When: "this or `luns`", Meaning: "`true`: only the operating system's disk"},
		name + ".luns":   {When: "this or `none`", Meaning: "logical unit numbers of data disks, from 0 to 63", Rule: schema.Object{"minItems": 1, "maxItems": maxLUN + 1, "uniqueItems": true}},
		name + ".luns[]": {Rule: schema.Object{"minimum": 0, "maximum": maxLUN}},
	}
}

func (c *checks) dataDisks(field string, d *DataDisks) {
	if d == nil {
		return
	}
	if d.None == (d.LUNs != nil) {
		c.add(field, "has both or neither of none and luns", "exactly one of them")
		return
	}
	if !d.None {
		c.luns(field, d.LUNs)
	}
}

// luns checks a list of logical unit numbers of data disks.
func (c *checks) luns(field string, luns []int) {
	seen := map[int]bool{}
	for n, lun := range luns {
		if lun < 0 || lun > maxLUN || seen[lun] {
			c.add(fmt.Sprintf("%s.luns[%d]", field, n), fmt.Sprintf("is %d", lun), fmt.Sprintf("a number from 0 to %d that is not listed before", maxLUN))
		}
		seen[lun] = true
	}
	if len(luns) == 0 {
		c.add(field+".luns", "is missing or empty", "at least one logical unit number")
	}
}

// luns returns the list that a request to Azure has: nil for all disks, empty for
// none.
func (d *DataDisks) luns() []int32 {
	if d == nil {
		return nil
	}
	return lunsOf(d.LUNs)
}

func lunsOf(luns []int) []int32 {
	all := make([]int32, 0, len(luns))
	for _, lun := range luns {
		if 0 <= lun && lun <= maxLUN {
			all = append(all, int32(lun))
		}
	}
	return all
}

func restoreVMParameters() schema.Parameters {
	fields := schema.Fields{
		"itemId": {Required: true, Rule: itemRule(), Items: []schema.ItemKind{schema.MachineItem}, Meaning: "resource ID of the protected virtual machine"},
		"stagingAccountId": {
			Required: true, Rule: storageAccountRule(),
			Meaning: "resource ID of a storage account in the vault's region, which is an allowed restore target. Azure writes a template and the machine's configuration there",
		},
		"asDisks": {When: "this, `asMachine` or `replaceDisks`", Meaning: "an object: restore the disks alone", Rule: schema.Object{
			"oneOf": []schema.Object{schema.Given("resourceGroupId"), schema.Is("unmanaged", true)},
		}},
		"asDisks.resourceGroupId": {Meaning: "resource ID of the resource group for the managed disks, which is an allowed restore target", Rule: resourceGroupRule()},
		"asDisks.unmanaged":       {Meaning: "`true`: copy VHD files into the staging account. This takes about half an hour instead of about a minute"},
		"asMachine":               {When: "this, `asDisks` or `replaceDisks`", Meaning: "an object: create a virtual machine"},
		"asMachine.resourceGroupId": {
			Required: true, Meaning: "resource ID of the machine's resource group, which is an allowed restore target", Rule: resourceGroupRule(),
		},
		"asMachine.name": {Required: true, Meaning: "name of a virtual machine that does not exist yet", Rule: schema.Matches(machineNamePattern)},
		"asMachine.virtualNetworkId": {
			Required: true, Rule: schema.Matches(schema.ResourceID(networkType)),
			Meaning: "resource ID of its virtual network. The network or its resource group is an allowed restore target",
		},
		"asMachine.subnet": {Required: true, Meaning: "name of the subnet", Rule: schema.Matches(subnetNamePattern)},
		"replaceDisks":     {When: "this, `asDisks` or `asMachine`", Meaning: "`true`: replace the disks of the machine itself, which is an allowed restore target"},
	}
	return schema.Parameters{
		Type:   reflect.TypeFor[RestoreVM](),
		Fields: fields.With(dataDisksFields("dataDisks", "an object: the data disks to restore; default: all")).With(itemPointFields()).With(retryFailedJobFields()).With(itemRehydrationFields()),
		Rules:  schema.Object{"oneOf": []schema.Object{schema.Given("asDisks"), schema.Given("asMachine"), schema.Is("replaceDisks", true)}},
	}
}

func (a azure) checkRestoreVM(c *checks, p *RestoreVM) {
	if _, err := recoveryservices.ParseItemID(p.ItemID); err != nil {
		c.add("itemId", err.Error(), wantItem)
	}
	c.itemPoint(p.RecoveryPoint)
	c.rehydration(p.Rehydration)
	c.retryFailedJob(p.RetryFailedJob)
	c.dataDisks("dataDisks", p.DataDisks)
	before := len(c.invalid)
	if c.storageAccount("stagingAccountId", p.StagingAccountID); len(c.invalid) == before {
		c.allowed("stagingAccountId", p.StagingAccountID, a.Guardrails.allowsResource(p.StagingAccountID))
	}
	given := 0
	for _, is := range []bool{p.AsDisks != nil, p.AsMachine != nil, p.ReplaceDisks} {
		if is {
			given++
		}
	}
	if given != 1 {
		c.add("asDisks", fmt.Sprintf("is one of %d targets", given), "exactly one of asDisks, asMachine and replaceDisks")
	}
	if p.AsDisks != nil {
		c.asDisks(*p.AsDisks, a.Guardrails)
	}
	if p.AsMachine != nil {
		c.asMachine(*p.AsMachine, a.Guardrails)
	}
}

func (c *checks) asDisks(d AsDisks, g Guardrails) {
	switch {
	case d.Unmanaged == (d.ResourceGroupID != ""):
		c.add("asDisks", "has both or neither of resourceGroupId and unmanaged", "resourceGroupId for managed disks, which takes a minute; or unmanaged set to true, which takes half an hour")
	case d.ResourceGroupID != "" && c.resourceGroup("asDisks.resourceGroupId", d.ResourceGroupID):
		c.allowed("asDisks.resourceGroupId", d.ResourceGroupID, g.allowsGroup(d.ResourceGroupID))
	}
}

func (c *checks) asMachine(m AsMachine, g Guardrails) {
	if c.resourceGroup("asMachine.resourceGroupId", m.ResourceGroupID) {
		c.allowed("asMachine.resourceGroupId", m.ResourceGroupID, g.allowsGroup(m.ResourceGroupID))
	}
	if !machineName.MatchString(m.Name) {
		c.add("asMachine.name", fmt.Sprintf("%q is not the name of a virtual machine", m.Name), "1 to 64 letters, digits and the characters -_.")
	}
	if c.resource("asMachine.virtualNetworkId", m.VirtualNetworkID, networkType, "virtual network", wantNetwork) {
		c.allowed("asMachine.virtualNetworkId", m.VirtualNetworkID, g.allowsNetwork(m.VirtualNetworkID))
	}
	if !subnetName.MatchString(m.Subnet) {
		c.add("asMachine.subnet", fmt.Sprintf("%q is not the name of a subnet", m.Subnet), "1 to 80 letters, digits and the characters -_.")
	}
}

func (a azure) restoreVM() Definition {
	choice := func(c step.Call) (itemPointChoice, error) {
		p, err := parametersOf[RestoreVM](c)
		return itemPointChoice{p.RecoveryPoint, p.Rehydration != nil}, err
	}
	return Definition{
		Flow: step.Flow{
			Name: "restore-vm", Version: 1,
			Summary:  "restore a virtual machine's disks, restore it as a new machine, or replace its disks, to the job's end",
			Guarded:  true,
			Deadline: 2 * 24 * time.Hour,
			Priority: operation.PriorityRestore,
			Check:    check(a.checkRestoreVM),
			Steps: append([]step.Step{
				{
					Name: "read-vault", Effect: step.Read, Run: with(a.readRestoreVault), Calls: []string{"Vaults_Get"},
					Asks: "reads the vault", Then: "the operation keeps its region, which the request to Azure contains",
				},
				a.readRestoredItemStep("virtual machine", recoveryservices.ItemVirtualMachine),
				a.pickItemPointStep(choice),
			}, itemRestore{send: a.machineRestore, sameTarget: sameMachine, result: restoredMachine}.steps(a)...),
		},
		Role:       roles.Delete,
		Parameters: restoreVMParameters,
		Intro: "Restores a virtual machine from a recovery point: its disks, as a new machine, or by replacing the disks of the machine itself. It is off " +
			"until an operator allows targets: the setting `AZBACKUPFLOW_RESTORE_TARGETS` lists the resource IDs of the staging account, of the resource " +
			"group for disks and machines, of the virtual network, and of machines whose disks may be replaced.",
		Notes: notesOfItemRehydration + "How long a restore takes depends on the target:\n\n| target | Azure took |\n|---|---|\n| `asDisks` with `resourceGroupId`: managed disks | 69 seconds |\n" +
			"| `asMachine` | 2 minutes |\n| `replaceDisks` | 23 minutes |\n| `asDisks` with `unmanaged`: VHD files in the staging account | 36 minutes |\n\n" +
			"Azure serves managed disks from the snapshot, and copies VHD files from the vault. `learned` contains the URLs of the template and of the " +
			"configuration in the staging account (`templateUri`, `configUri`), with which the machine can be deployed.",
		Examples: []Example{{
			File: "restore-vm-disks", About: "the disks of vm1", Key: "restore-vm1-disks", Deadline: "P1D", Labels: team("machines"),
			Parameters: RestoreVM{
				ItemID: exampleMachine, RecoveryPoint: RecoveryPoint{Latest: true}, StagingAccountID: exampleAccount,
				AsDisks: &AsDisks{ResourceGroupID: exampleRestoreGroup},
			},
			Cost: "a virtual machine's disks",
		}},
	}
}

// readRestoreVault reads the vault's region.
func (a azure) readRestoreVault(ctx context.Context, c step.Call, p RestoreVM) (operation.Outcome, error) {
	id, err := recoveryservices.ParseItemID(p.ItemID)
	if err != nil {
		return operation.Outcome{}, unreadable(err)
	}
	vault, err := a.recoveryServices(c).GetVault(ctx, id.Vault)
	if err != nil {
		return operation.Outcome{}, err
	}
	return learn(next("vault "+vault.Name+" is in "+vault.Location), map[string]string{learnedLocation: vault.Location, learnedItem: p.ItemID}), nil
}

func (a azure) machineRestore(_ context.Context, c step.Call) (recoveryservices.Restore, error) {
	p, err := parametersOf[RestoreVM](c)
	if err != nil {
		return nil, err
	}
	known := c.Operation.Learned
	if problem := p.notAllowed(a.Guardrails, known[learnedSource]); problem != nil {
		return nil, problem
	}
	r := recoveryservices.MachineRestore{
		SourceResourceID: known[learnedSource], Region: known[learnedLocation], StagingAccountID: p.StagingAccountID,
		ReplaceDisks: p.ReplaceDisks, DiskLUNs: p.DataDisks.luns(), Rehydration: p.Rehydration.item(),
	}
	switch {
	case p.AsDisks != nil:
		r.TargetResourceGroupID = p.AsDisks.ResourceGroupID
	case p.AsMachine != nil:
		m := *p.AsMachine
		r.TargetResourceGroupID = m.ResourceGroupID
		r.New = &recoveryservices.NewMachine{
			MachineID: m.id(), VirtualNetworkID: m.VirtualNetworkID, SubnetID: strings.TrimRight(m.VirtualNetworkID, "/") + "/subnets/" + m.Subnet,
		}
	}
	return r, nil
}

// notAllowed returns the error of a target that the operator does not allow now.
// The machine itself is known only at the step.
func (p RestoreVM) notAllowed(g Guardrails, source string) error {
	switch {
	case !g.allowsResource(p.StagingAccountID):
		return notAllowedTarget("storage account " + p.StagingAccountID)
	case p.AsDisks != nil && p.AsDisks.ResourceGroupID != "" && !g.allowsGroup(p.AsDisks.ResourceGroupID):
		return notAllowedTarget("resource group " + p.AsDisks.ResourceGroupID)
	case p.AsMachine != nil && !g.allowsGroup(p.AsMachine.ResourceGroupID):
		return notAllowedTarget("resource group " + p.AsMachine.ResourceGroupID)
	case p.AsMachine != nil && !g.allowsNetwork(p.AsMachine.VirtualNetworkID):
		return notAllowedTarget("virtual network " + p.AsMachine.VirtualNetworkID)
	case p.ReplaceDisks && !g.allowsResource(source):
		return notAllowedTarget("virtual machine " + source)
	}
	return nil
}

// Azure's names of the ways to restore a machine, in the details of a job.
const (
	jobRecoversDisks   = "Recover disks"
	jobCreatesMachine  = "Recover VM to an alternate location"
	jobReplacesDisks   = "Replace disks"
	bagJobType         = "Job Type"
	bagMachine         = "Target VM Name"
	bagGroup           = "Target resource group"
	bagTemplate        = "Template Blob Uri"
	bagConfig          = "Config Blob Uri"
	learnedTemplate    = "templateUri"
	learnedConfig      = "configUri"
	learnedTarget      = "restoredResourceId"
	learnedTargetGroup = "restoredResourceGroup"
)

// sameMachine compares a job's kind and target.
func sameMachine(c step.Call, job recoveryservices.Job) match {
	p, err := parametersOf[RestoreVM](c)
	if err != nil {
		return ambiguousItem
	}
	want, machine, group := jobReplacesDisks, "", ""
	switch {
	case p.AsDisks != nil:
		want, group = jobRecoversDisks, resourceid.LastName(p.AsDisks.ResourceGroupID)
	case p.AsMachine != nil:
		want, machine, group = jobCreatesMachine, p.AsMachine.Name, resourceid.LastName(p.AsMachine.ResourceGroupID)
	}
	bag := job.PropertyBag
	switch {
	case bag[bagJobType] == "":
		return ambiguousItem
	case !strings.EqualFold(bag[bagJobType], want),
		machine != "" && !strings.EqualFold(bag[bagMachine], machine),
		!strings.EqualFold(bag[bagGroup], group):
		return otherItem
	}
	return sameItem
}

// restoredMachine returns where the restored machine or its disks are.
func restoredMachine(c step.Call, job recoveryservices.Job) (facts map[string]string, warnings []string) {
	bag := job.PropertyBag
	facts = map[string]string{learnedTemplate: bag[bagTemplate], learnedConfig: bag[bagConfig], learnedTargetGroup: bag[bagGroup]}
	p, err := parametersOf[RestoreVM](c)
	switch {
	case err != nil:
	case p.AsMachine != nil:
		facts[learnedTarget] = p.AsMachine.id()
	case p.ReplaceDisks:
		facts[learnedTarget] = c.Operation.Learned[learnedSource]
	case facts[learnedTemplate] == "":
		warnings = append(warnings, "the job names no template for the restored disks; look at its details in the vault")
	}
	return facts, warnings
}
