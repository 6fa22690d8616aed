package drill

import (
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/schedule"
)

// problem is a problem of one drill, at a path below the drill.
type problem struct {
	path       []string
	text, want string
}

// The limits of the durations.
const (
	day           = 24 * time.Hour
	minPeriod     = time.Minute
	maxPeriod     = 10 * 366 * day
	maxValidation = 31 * day
	minRetention  = day
)

// checker collects the problems of a drill.
type checker struct{ problems []problem }

func (c *checker) report(path, text, want string) {
	c.problems = append(c.problems, problem{strings.Split(path, "."), text, want})
}

// duration parses a duration of the file; an empty text is 0. It reports a duration
// outside the limits.
func (c *checker) duration(path, text string, least, most time.Duration) time.Duration {
	if text == "" {
		return 0
	}
	parsed, ok := duration.Parse(text)
	if !ok {
		c.report(path, fmt.Sprintf("%q is not a duration", text), "one "+duration.Forms)
		return 0
	}
	if parsed < least || parsed > most {
		c.report(path, fmt.Sprintf("%q is not within the limits", text), fmt.Sprintf("a duration from %s to %s", spoken(least), spoken(most)))
	}
	return parsed
}

// spoken formats a limit for people.
func spoken(d time.Duration) string {
	switch {
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d == day:
		return "1 day"
	}
	return fmt.Sprintf("%d minute", d/time.Minute)
}

// drill converts the entry to a Drill and checks what the JSON Schema cannot
// express.
func (e entry) drill() (Drill, []problem) {
	c := &checker{}
	d := Drill{
		Name: e.Name, Timing: e.timing(c), Enabled: e.Enabled == nil || *e.Enabled, Select: e.Select, Target: e.Target, CleanUp: e.CleanUp,
		Point:            PointRule{Rule: e.Point.Rule, Window: c.duration("point.window", e.Point.Window, minPeriod, maxPeriod)},
		MaxRestoreTime:   c.duration("objectives.restoreTime", e.Objectives.RestoreTime, minPeriod, maxPeriod),
		MaxPointAge:      c.duration("objectives.pointAge", e.Objectives.PointAge, minPeriod, maxPeriod),
		ValidationWindow: c.duration("validation.window", e.Validation.Window, minPeriod, maxValidation),
		Retention:        c.duration("evidence.retention", e.Evidence.Retention, minRetention, maxPeriod),
	}
	switch within := e.Point.Rule != Latest; {
	case within && e.Point.Window == "":
		c.report("point.window", "is missing with rule: "+string(e.Point.Rule), "the maximum age of the recovery point, such as P7D")
	case !within && e.Point.Window != "":
		c.report("point.window", "is set with rule: latest", "rule: latestWithin, or no window")
	}
	switch callback := e.Validation.By == "callback"; {
	case callback && e.Validation.Window == "":
		c.report("validation.window", "is missing with by: callback", "how long to wait for the validator, such as PT4H")
	case !callback && e.Validation.Window != "":
		c.report("validation.window", "is set with by: "+e.Validation.By, "by: callback, or no window")
	}
	e.checkSelection(c)
	e.checkTarget(c)
	return d, c.problems
}

// timing parses the cron expression and the time zone, each with a valid other.
func (e entry) timing(c *checker) schedule.Timing {
	if _, err := schedule.NewTiming(e.Cron, "UTC"); err != nil {
		c.report("cron", strings.TrimPrefix(err.Error(), "cron "), "five fields that some date matches, such as 30 2 1 * *, or six with a single second first")
		return schedule.Timing{}
	}
	t, err := schedule.NewTiming(e.Cron, e.TimeZone)
	if err != nil {
		c.report("timeZone", err.Error(), "an IANA time zone such as Europe/Berlin or UTC")
	}
	return t
}

func (e entry) checkSelection(c *checker) {
	want, types := resourceid.BackupVault, []Type{Disk, Blobs, Postgres}
	if e.Select.Type == FileShare || e.Select.Type == VirtualMachine {
		want, types = resourceid.RecoveryServicesVault, []Type{FileShare, VirtualMachine}
	}
	if _, err := resourceid.ParseVaultID(e.Select.VaultID, want); err != nil {
		reason, _, _ := strings.Cut(err.Error(), ";")
		c.report("select.vaultId", fmt.Sprintf("%q cannot have items of type %s: %s", e.Select.VaultID, e.Select.Type, reason),
			fmt.Sprintf("the resource ID of a %s, which has the types %s", want.DisplayName(), joined(types)))
	}
	if e.Select.Count > 0 && e.Select.Percent > 0 {
		c.report("select.percent", "is set together with count", "one of the two, or none to restore all items")
	}
}

func joined(types []Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}

// checkTarget checks that the target has what the type of the items needs, and
// nothing else: a target that is not used would look as if it was.
func (e entry) checkTarget(c *checker) {
	account := func(needed bool, what string) {
		switch {
		case needed && e.Target.StorageAccountID == "":
			c.report("target.storageAccountId", "is missing for items of type "+string(e.Select.Type), "the storage account for "+what)
		case !needed && e.Target.StorageAccountID != "":
			c.report("target.storageAccountId", "is set for items of type "+string(e.Select.Type), "a resourceGroupId only")
		case needed && !hasType(e.Target.StorageAccountID, "Microsoft.Storage/storageAccounts"):
			c.report("target.storageAccountId", fmt.Sprintf("%q is not the resource ID of a storage account", e.Target.StorageAccountID),
				"/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}")
		}
	}
	group := func(needed bool) {
		switch {
		case needed && e.Target.ResourceGroupID == "":
			c.report("target.resourceGroupId", "is missing for items of type "+string(e.Select.Type), "the resource group for the restored disks")
		case !needed && e.Target.ResourceGroupID != "":
			c.report("target.resourceGroupId", "is set for items of type "+string(e.Select.Type), "a storageAccountId only")
		case needed && !hasType(e.Target.ResourceGroupID, "Microsoft.Resources/resourceGroups"):
			c.report("target.resourceGroupId", fmt.Sprintf("%q is not the resource ID of a resource group", e.Target.ResourceGroupID), "/subscriptions/{id}/resourceGroups/{group}")
		case needed && resourceid.Equal(e.Target.ResourceGroupID, resourceid.GroupOf(e.Select.VaultID)):
			c.report("target.resourceGroupId", "is the resource group of the vault", "a resource group for drills only")
		}
	}
	account(e.Select.Type != Disk, map[Type]string{
		FileShare: "the file shares of the drills", Blobs: "the containers of the drills", Postgres: "the containers of the drills",
		VirtualMachine: "what Azure writes while it restores a machine, in the region of the vault",
	}[e.Select.Type])
	group(e.Select.Type == Disk || e.Select.Type == VirtualMachine)
}

// notAllowed returns the problems of targets that the app does not allow.
func (e entry) notAllowed(allowed func(id string) bool) []problem {
	c := &checker{}
	for _, t := range []struct{ path, id string }{{"target.storageAccountId", e.Target.StorageAccountID}, {"target.resourceGroupId", e.Target.ResourceGroupID}} {
		if t.id != "" && !allowed(t.id) {
			c.report(t.path, fmt.Sprintf("%q is not an allowed drill target", t.id), "one of the setting AZBACKUPFLOW_DRILL_TARGETS, or the ID added to it")
		}
	}
	return c.problems
}

// hasType reports whether a text is the resource ID of a resource of a type.
func hasType(id, resourceType string) bool {
	parsed, err := resourceid.Parse(id)
	return err == nil && strings.EqualFold(parsed.ResourceType.String(), resourceType) && parsed.Name != ""
}
