package flow

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/schema"
)

// DrillRestore restores an item into a place of its own, checks what arrived, deletes
// the place and writes the evidence. The fields have the names of drills.yaml.
type DrillRestore struct {
	Drill DrillRun `json:"drill"`
	// Type is the type of the item: AzureFileShare, or the datasource type of a
	// backup instance.
	Type string `json:"type"`
	// ItemID is the protected file share, BackupInstanceID the backup instance; set
	// exactly one.
	ItemID           string `json:"itemId,omitempty"`
	BackupInstanceID string `json:"backupInstanceId,omitempty"`
	// Tags are the tags of the item's source. The evidence repeats them.
	Tags       map[string]string `json:"tags,omitempty"`
	Point      DrillPoint        `json:"point"`
	Target     DrillTarget       `json:"target"`
	Objectives DrillObjectives   `json:"objectives,omitzero"`
	Validation DrillValidation   `json:"validation"`
	// CleanUp is delete or keep.
	CleanUp  string       `json:"cleanUp"`
	Evidence DrillKeeping `json:"evidence,omitzero"`
}

// DrillKeeping is how long the evidence is kept.
type DrillKeeping struct {
	// Retention is an ISO 8601 duration, from a day to 10 years; empty means a year.
	Retention string `json:"retention,omitempty"`
}

// DrillRun names the declaration that a drill follows. The evidence repeats it.
type DrillRun struct {
	// Name is the name of the drill, Run the local start time of its run.
	Name string `json:"name"`
	Run  string `json:"run"`
	// ConfigurationDigest is the SHA-256 digest of the declaration, as sha256:<hex>.
	ConfigurationDigest string `json:"configurationDigest"`
}

// DrillPoint is the rule that chooses the recovery point.
type DrillPoint struct {
	// Rule is latest, latestWithin or randomWithin.
	Rule string `json:"rule"`
	// Window is the maximum age of the point, an ISO 8601 duration; empty with latest.
	Window string `json:"window,omitempty"`
}

// DrillTarget is where the drill makes its place. The setting
// AZBACKUPFLOW_DRILL_TARGETS must allow it.
type DrillTarget struct {
	StorageAccountID string `json:"storageAccountId,omitempty"`
	ResourceGroupID  string `json:"resourceGroupId,omitempty"`
}

// DrillObjectives are ISO 8601 durations; empty means no objective.
type DrillObjectives struct {
	RestoreTime string `json:"restoreTime,omitempty"`
	PointAge    string `json:"pointAge,omitempty"`
}

// DrillValidation is the validation that the drill waits for.
type DrillValidation struct {
	// By is callback or none.
	By string `json:"by"`
	// Window is how long to wait, an ISO 8601 duration; empty with none.
	Window string `json:"window,omitempty"`
}

// The values of the fields.
const (
	drillShares   = "AzureFileShare"
	drillMachines = "VM"
	drillLatest   = "latest"
	drillWithin   = "latestWithin"
	drillRandom   = "randomWithin"
	drillCallback = "callback"
	drillNone     = "none"
	drillDelete   = "delete"
	drillKeep     = "keep"
	// drillRetention is the default retention of evidence.
	drillRetention = "P365D"

	drillNamePattern   = `[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?`
	drillDigestPattern = `sha256:[0-9a-f]{64}`

	minDrillPeriod     = time.Minute
	maxDrillPeriod     = 10 * 366 * 24 * time.Hour
	maxDrillValidation = 31 * 24 * time.Hour
)

var (
	drillName   = regexp.MustCompile(schema.Whole(drillNamePattern))
	drillDigest = regexp.MustCompile(schema.Whole(drillDigestPattern))
)

func drillTypes() []string {
	return []string{drillShares, drillMachines, kinds.DatasourceDisk, kinds.DatasourceBlob, kinds.DatasourceFlexibleServer}
}

func (a azure) checkDrillRestore(c *checks, p *DrillRestore) {
	if !drillName.MatchString(p.Drill.Name) {
		c.add("drill.name", fmt.Sprintf("%q is not the name of a drill", p.Drill.Name), "1 to 64 lower-case letters, digits and hyphens")
	}
	if p.Drill.Run == "" || len(p.Drill.Run) > 64 {
		c.add("drill.run", fmt.Sprintf("%q is not the name of a run", p.Drill.Run), "the local start time of the run, such as 2026-11-01T04:00")
	}
	if !drillDigest.MatchString(p.Drill.ConfigurationDigest) {
		c.add("drill.configurationDigest", fmt.Sprintf("%q is not a digest", p.Drill.ConfigurationDigest), "sha256: and 64 hexadecimal digits, as drills check shows it")
	}
	c.drillItem(p)
	c.drillPoint(&p.Point)
	c.drillPeriod("objectives.restoreTime", &p.Objectives.RestoreTime, minDrillPeriod, maxDrillPeriod)
	c.drillPeriod("objectives.pointAge", &p.Objectives.PointAge, minDrillPeriod, maxDrillPeriod)
	c.drillValidation(&p.Validation)
	if p.CleanUp != drillDelete && p.CleanUp != drillKeep {
		c.add("cleanUp", fmt.Sprintf("%q is not a kind of clean-up", p.CleanUp), "delete or keep")
	}
	if p.Evidence.Retention == "" {
		p.Evidence.Retention = drillRetention
	}
	c.drillPeriod("evidence.retention", &p.Evidence.Retention, 24*time.Hour, maxDrillPeriod)
	a.checkDrillTarget(c, p)
}

func (c *checks) drillItem(p *DrillRestore) {
	switch {
	case !slices.Contains(drillTypes(), p.Type):
		c.add("type", fmt.Sprintf("%q cannot be restored in a drill", p.Type), "one of "+strings.Join(drillTypes(), ", "))
	case p.ofServicesVault() && p.BackupInstanceID != "":
		c.add("backupInstanceId", "is set for a "+p.typeName(), "an itemId only")
	case p.ofServicesVault():
		if _, err := recoveryservices.ParseItemID(p.ItemID); err != nil {
			c.add("itemId", err.Error(), wantItem)
		}
	case p.ItemID != "":
		c.add("itemId", "is set for a "+p.typeName(), "a backupInstanceId only")
	default:
		c.instance("backupInstanceId", p.BackupInstanceID)
	}
}

// ofServicesVault reports whether the item is one of a Recovery Services vault.
func (p DrillRestore) ofServicesVault() bool { return p.Type == drillShares || p.Type == drillMachines }

// typeName names the type of the item for people.
func (p DrillRestore) typeName() string {
	switch p.Type {
	case drillShares:
		return "file share"
	case drillMachines:
		return "virtual machine"
	}
	return kinds.NameOf(p.Type)
}

func (c *checks) drillPoint(p *DrillPoint) {
	switch {
	case !slices.Contains([]string{drillLatest, drillWithin, drillRandom}, p.Rule):
		c.add("point.rule", fmt.Sprintf("%q is not a rule", p.Rule), "latest, latestWithin or randomWithin")
	case p.Rule == drillLatest && p.Window != "":
		c.add("point.window", "is set with the rule latest", "the rule latestWithin, or no window")
	case p.Rule != drillLatest && p.Window == "":
		c.add("point.window", "is missing with the rule "+p.Rule, "the maximum age of the recovery point, such as P7D")
	}
	c.drillPeriod("point.window", &p.Window, minDrillPeriod, maxDrillPeriod)
}

func (c *checks) drillValidation(v *DrillValidation) {
	switch {
	case v.By != drillCallback && v.By != drillNone:
		c.add("validation.by", fmt.Sprintf("%q is not a kind of validation", v.By), "callback or none")
	case v.By == drillCallback && v.Window == "":
		c.add("validation.window", "is missing", "how long to wait for the validator, such as PT4H")
	case v.By == drillNone && v.Window != "":
		c.add("validation.window", "is set without a validator", "by: callback, or no window")
	}
	c.drillPeriod("validation.window", &v.Window, minDrillPeriod, maxDrillValidation)
}

// drillPeriod checks a duration and writes it in ISO 8601, as the evidence holds it; an
// empty text is none.
func (c *checks) drillPeriod(field string, text *string, least, most time.Duration) {
	if *text == "" {
		return
	}
	d, ok := duration.Parse(*text)
	if !ok || d < least || d > most {
		c.add(field, fmt.Sprintf("%q is not a duration within the limits", *text), fmt.Sprintf("a duration from %s to %s", duration.ISO(least), duration.ISO(most)))
		return
	}
	*text = duration.ISO(d)
}

// periodOf returns a duration that was checked at the start; 0 for an empty text.
func periodOf(text string) time.Duration {
	d, _ := duration.Parse(text)
	return d
}

// checkDrillTarget checks that the target has what the type of the item needs, and
// that an operator allows it.
func (a azure) checkDrillTarget(c *checks, p *DrillRestore) {
	before := len(c.invalid)
	account, group := p.Type != kinds.DatasourceDisk, p.Type == kinds.DatasourceDisk || p.Type == drillMachines
	switch {
	case account:
		c.storageAccount("target.storageAccountId", p.Target.StorageAccountID)
	case p.Target.StorageAccountID != "":
		c.add("target.storageAccountId", "is set for a managed disk", "a resourceGroupId only")
	}
	switch {
	case !group && p.Target.ResourceGroupID != "":
		c.add("target.resourceGroupId", "is set for a "+p.Type, "a storageAccountId only")
	case !group:
	case !c.resourceGroup("target.resourceGroupId", p.Target.ResourceGroupID):
	case resourceid.Equal(p.Target.ResourceGroupID, resourceid.GroupOf(p.ItemID+p.BackupInstanceID)):
		c.add("target.resourceGroupId", "is the resource group of the vault", "a resource group for drills only")
	}
	if len(c.invalid) > before {
		return
	}
	for _, one := range []struct{ field, id string }{{"target.storageAccountId", p.Target.StorageAccountID}, {"target.resourceGroupId", p.Target.ResourceGroupID}} {
		if one.id != "" && !a.Guardrails.AllowsDrillIn(one.id) {
			c.add(one.field, one.id+" is not an allowed drill target", "one of the setting "+settingDrillTargets)
		}
	}
}

// allowsDrill reports whether drills may make their places in the target.
func (g Guardrails) allowsDrill(t DrillTarget) bool {
	ids := slices.DeleteFunc([]string{t.ResourceGroupID, t.StorageAccountID}, func(id string) bool { return id == "" })
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !g.AllowsDrillIn(id) })
}

// AllowsDrillIn reports whether a storage account or a resource group is a target of
// drills.
func (g Guardrails) AllowsDrillIn(id string) bool {
	return Guardrails{RestoreTargets: g.DrillTargets}.allowsResource(id)
}

const settingDrillTargets = "AZBACKUPFLOW_DRILL_TARGETS"

func drillRestoreParameters() schema.Parameters {
	period := schema.Object{"pattern": duration.Pattern}
	return schema.Parameters{
		Type: reflect.TypeFor[DrillRestore](),
		Fields: schema.Fields{
			"drill":                     {Required: true, Meaning: "an object: the declaration that the drill follows. The evidence repeats it"},
			"drill.name":                {Required: true, Meaning: "name of the drill", Rule: schema.Matches(drillNamePattern)},
			"drill.run":                 {Required: true, Meaning: "local start time of the run, such as `2026-11-01T04:00`", Rule: schema.Object{"minLength": 1, "maxLength": 64}},
			"drill.configurationDigest": {Required: true, Meaning: "SHA-256 digest of the declaration, as `sha256:` and 64 hexadecimal digits", Rule: schema.Matches(drillDigestPattern)},
			"type":                      {Required: true, Meaning: "type of the item", Rule: schema.OneOf(drillTypes()...)},
			"itemId":                    {When: "this or `backupInstanceId`", Meaning: "resource ID of the protected file share or virtual machine", Rule: itemRule()},
			"backupInstanceId":          {When: "this or `itemId`", Meaning: "resource ID of the backup instance, for all other types", Rule: instanceRule()},
			"tags":                      {Meaning: "tags of the item's source. The evidence repeats them"},
			"point":                     {Required: true, Meaning: "an object: the rule that chooses the recovery point"},
			"point.rule":                {Required: true, Meaning: "`latest`, `latestWithin` or `randomWithin`", Rule: schema.OneOf(drillLatest, drillWithin, drillRandom)},
			"point.window":              {When: "not with `latest`", Meaning: "maximum age of the recovery point, such as `7d` or `P7D`", Rule: period},
			"target":                    {Required: true, Meaning: "an object: where the drill makes its place. It must be an allowed drill target"},
			"target.storageAccountId":   {When: "not for disks", Meaning: "resource ID of the storage account in which the drill creates a file share or a blob container; for machines, the staging account of the restore, in the region of the vault", Rule: storageAccountRule()},
			"target.resourceGroupId":    {When: "disks and machines", Meaning: "resource ID of the resource group in which the restore creates disks; not that of the vault. For machines, it must have no disk without the mark of a drill", Rule: resourceGroupRule()},
			"objectives":                {Meaning: "an object: what the restore is compared with"},
			"objectives.restoreTime":    {Meaning: "maximum duration of the restore (RTO)", Rule: period},
			"objectives.pointAge":       {Meaning: "maximum age of the recovery point (RPO)", Rule: period},
			"validation":                {Required: true, Meaning: "an object: who validates the restored data"},
			"validation.by":             {Required: true, Meaning: "`callback` or `none`", Rule: schema.OneOf(drillCallback, drillNone)},
			"validation.window":         {When: "with `callback`", Meaning: "how long to wait for the validator, at most 31 days", Rule: period},
			"evidence":                  {Meaning: "an object: how the evidence is kept"},
			"evidence.retention":        {Meaning: "how long the evidence is kept, from `P1D` to 10 years; default: `P365D`", Rule: period},
			"cleanUp":                   {Required: true, Meaning: "`delete` deletes the place that the drill made; `keep` deletes nothing", Rule: schema.OneOf(drillDelete, drillKeep)},
		},
		Rules: schema.Object{"allOf": []schema.Object{
			{
				"if":   schema.Object{"required": []string{"type"}, "properties": schema.Object{"type": schema.OneOf(drillShares, drillMachines)}},
				"then": schema.Object{"allOf": []schema.Object{schema.Given("itemId"), schema.Missing("backupInstanceId")}},
				"else": schema.Object{"allOf": []schema.Object{schema.Given("backupInstanceId"), schema.Missing("itemId")}},
			},
			{"if": schema.Is("type", kinds.DatasourceDisk), "then": drillTargetRule(schema.Given("resourceGroupId"), schema.Missing("storageAccountId"))},
			{"if": schema.Is("type", drillMachines), "then": drillTargetRule(schema.Given("resourceGroupId"), schema.Given("storageAccountId"))},
			{
				"if":   schema.Object{"required": []string{"type"}, "properties": schema.Object{"type": schema.OneOf(drillShares, kinds.DatasourceBlob, kinds.DatasourceFlexibleServer)}},
				"then": drillTargetRule(schema.Given("storageAccountId"), schema.Missing("resourceGroupId")),
			},
			{"properties": schema.Object{
				"point":      schema.Object{"if": schema.Is("rule", drillLatest), "then": schema.Missing("window"), "else": schema.Given("window")},
				"validation": schema.Object{"if": schema.Is("by", drillCallback), "then": schema.Given("window"), "else": schema.Missing("window")},
			}},
		}},
	}
}

// drillTargetRule returns the rule of a target.
func drillTargetRule(rules ...schema.Object) schema.Object {
	return schema.Object{"properties": schema.Object{"target": schema.Object{"allOf": rules}}}
}
