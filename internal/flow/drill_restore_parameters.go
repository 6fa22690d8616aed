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
	return []string{drillShares, kinds.DatasourceDisk, kinds.DatasourceBlob, kinds.DatasourceFlexibleServer}
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
		want := "one of " + strings.Join(drillTypes(), ", ")
		if p.Type == "VM" {
			want += ": the disks of a restored machine have names that Azure chooses, so a drill could not tell them from others"
		}
		c.add("type", fmt.Sprintf("%q cannot be restored in a drill", p.Type), want)
	case p.Type == drillShares && p.BackupInstanceID != "":
		c.add("backupInstanceId", "is set for a file share", "an itemId only")
	case p.Type == drillShares:
		if _, err := recoveryservices.ParseItemID(p.ItemID); err != nil {
			c.add("itemId", err.Error(), wantItem)
		}
	case p.ItemID != "":
		c.add("itemId", "is set for a "+kinds.NameOf(p.Type), "a backupInstanceId only")
	default:
		c.instance("backupInstanceId", p.BackupInstanceID)
	}
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
	field, id := "target.storageAccountId", p.Target.StorageAccountID
	if p.Type == kinds.DatasourceDisk {
		field, id = "target.resourceGroupId", p.Target.ResourceGroupID
		c.resourceGroup(field, id)
		if p.Target.StorageAccountID != "" {
			c.add("target.storageAccountId", "is set for a managed disk", "a resourceGroupId only")
		}
		if id != "" && resourceid.Equal(id, resourceid.GroupOf(p.BackupInstanceID)) {
			c.add(field, "is the resource group of the vault", "a resource group for drills only")
		}
	} else {
		c.storageAccount(field, id)
		if p.Target.ResourceGroupID != "" {
			c.add("target.resourceGroupId", "is set for a "+p.Type, "a storageAccountId only")
		}
	}
	if len(c.invalid) == before && !a.Guardrails.allowsDrill(p.Target) {
		c.add(field, id+" is not an allowed drill target", "one of the setting "+settingDrillTargets)
	}
}

// allowsDrill reports whether drills may make their places in the target.
func (g Guardrails) allowsDrill(t DrillTarget) bool {
	drills := Guardrails{RestoreTargets: g.DrillTargets}
	if t.ResourceGroupID != "" {
		return drills.allowsResource(t.ResourceGroupID)
	}
	return drills.allowsResource(t.StorageAccountID)
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
			"itemId":                    {When: "this or `backupInstanceId`", Meaning: "resource ID of the protected file share", Rule: itemRule()},
			"backupInstanceId":          {When: "this or `itemId`", Meaning: "resource ID of the backup instance, for all other types", Rule: instanceRule()},
			"tags":                      {Meaning: "tags of the item's source. The evidence repeats them"},
			"point":                     {Required: true, Meaning: "an object: the rule that chooses the recovery point"},
			"point.rule":                {Required: true, Meaning: "`latest`, `latestWithin` or `randomWithin`", Rule: schema.OneOf(drillLatest, drillWithin, drillRandom)},
			"point.window":              {When: "not with `latest`", Meaning: "maximum age of the recovery point, such as `7d` or `P7D`", Rule: period},
			"target":                    {Required: true, Meaning: "an object: where the drill makes its place. It must be an allowed drill target"},
			"target.storageAccountId":   {When: "file shares, blobs and PostgreSQL", Meaning: "resource ID of the storage account in which the drill creates a file share or a blob container", Rule: storageAccountRule()},
			"target.resourceGroupId":    {When: "disks", Meaning: "resource ID of the resource group in which the restore creates a disk; not that of the vault", Rule: resourceGroupRule()},
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
				"if":   schema.Is("type", drillShares),
				"then": schema.Object{"allOf": []schema.Object{schema.Given("itemId"), schema.Missing("backupInstanceId")}},
				"else": schema.Object{"allOf": []schema.Object{schema.Given("backupInstanceId"), schema.Missing("itemId")}},
			},
			{
				"if":   schema.Is("type", kinds.DatasourceDisk),
				"then": schema.Object{"properties": schema.Object{"target": schema.Object{"allOf": []schema.Object{schema.Given("resourceGroupId"), schema.Missing("storageAccountId")}}}},
				"else": schema.Object{"properties": schema.Object{"target": schema.Object{"allOf": []schema.Object{schema.Given("storageAccountId"), schema.Missing("resourceGroupId")}}}},
			},
			{"properties": schema.Object{
				"point":      schema.Object{"if": schema.Is("rule", drillLatest), "then": schema.Missing("window"), "else": schema.Given("window")},
				"validation": schema.Object{"if": schema.Is("by", drillCallback), "then": schema.Given("window"), "else": schema.Missing("window")},
			}},
		}},
	}
}
