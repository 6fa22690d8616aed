package flow

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// RestoreBlobs restores the blobs of a storage account: to a time, in place, or
// containers from the vault to another account.
type RestoreBlobs struct {
	BackupInstanceID string `json:"backupInstanceId"`
	// PointInTime is for operational backup, RecoveryPoint for vaulted backup; set
	// exactly one.
	PointInTime   *PointInTime   `json:"pointInTime,omitempty"`
	RecoveryPoint *RecoveryPoint `json:"recoveryPoint,omitempty"`
	// TargetAccountID is the account that is written to. For operational backup it
	// must be the account that was backed up. The setting
	// AZBACKUPFLOW_RESTORE_TARGETS must allow it.
	TargetAccountID string `json:"targetAccountId"`
	// Paths are containers, or containers with a prefix of blobs; empty means the
	// whole account, which only operational backup can restore.
	Paths []string `json:"paths,omitempty"`
	// Renames are new names of containers, for vaulted backup.
	Renames map[string]string `json:"renames,omitempty"`
	RestoreOptions
}

// PointInTime selects a time of a continuous backup: exactly one field is set.
type PointInTime struct {
	At           *time.Time `json:"at,omitempty"`
	Latest       bool       `json:"latest,omitempty"`
	LatestBefore *time.Time `json:"latestBefore,omitempty"`
}

func (p RestoreBlobs) restoration() restoration {
	r := restoration{
		instanceID: p.BackupInstanceID, types: []string{kinds.DatasourceBlob, kinds.DatasourceADLS}, target: kinds.TargetAccount,
		targetID: p.TargetAccountID, items: len(p.Paths) > 0, location: p.Location, identityID: p.IdentityID,
	}
	if t := p.PointInTime; t != nil {
		r.tier, r.byTime, r.pointInTime = tierOperational, true, t.At
		r.point = RecoveryPoint{Latest: t.Latest, LatestBefore: t.LatestBefore}
		r.ranges = blobRanges(p.Paths)
		return r
	}
	r.tier, r.point, r.paths = tierVault, *p.RecoveryPoint, p.containers()
	if len(p.Renames) > 0 {
		r.version = dataprotection.RenameVersion
	}
	return r
}

// blobRanges returns the ranges of paths: a container and everything in it, or the
// blobs of a container that begin with a prefix.
func blobRanges(paths []string) (ranges []dataprotection.BlobRange) {
	for _, path := range paths {
		if _, prefix, _ := strings.Cut(path, "/"); prefix == "" {
			container := strings.TrimSuffix(path, "/")
			ranges = append(ranges, dataprotection.BlobRange{From: container, To: container + "-0"})
			continue
		}
		last := path[len(path)-1]
		ranges = append(ranges, dataprotection.BlobRange{From: path, To: path[:len(path)-1] + string(rune(last+1))})
	}
	return ranges
}

// containers groups the paths by container, in the order of the request.
func (p RestoreBlobs) containers() (all []dataprotection.BlobPath) {
	for _, path := range p.Paths {
		container, prefix, _ := strings.Cut(path, "/")
		at := slices.IndexFunc(all, func(b dataprotection.BlobPath) bool { return b.Container == container })
		if at < 0 {
			all, at = append(all, dataprotection.BlobPath{Container: container, RenameTo: p.Renames[container]}), len(all)
		}
		if prefix != "" {
			all[at].Prefixes = append(all[at].Prefixes, prefix)
		}
	}
	return all
}

// maxRanges is the number of ranges that Azure accepts.
const maxRanges = 10

func (a azure) checkRestoreBlobs(c *checks, p *RestoreBlobs) {
	c.restoreOptions(p.BackupInstanceID, p.RestoreOptions)
	c.pointOrTime(*p, a.Now())
	before := len(c.invalid)
	c.storageAccount("targetAccountId", p.TargetAccountID)
	c.blobPaths(*p)
	if len(c.invalid) == before && !allowsBlobs(a.Guardrails, *p) {
		c.add("targetAccountId", p.TargetAccountID+" "+notAnAllowedTarget, wantTargets)
	}
}

// pointOrTime checks that exactly one recovery point or time is selected.
func (c *checks) pointOrTime(p RestoreBlobs, now time.Time) {
	switch t := p.PointInTime; {
	case (t == nil) == (p.RecoveryPoint == nil):
		c.add("pointInTime", "and recoveryPoint are both set or both missing", "pointInTime for operational backup, recoveryPoint for vaulted backup")
	case t == nil:
		c.recoveryPoint(*p.RecoveryPoint)
	default:
		given := 0
		for _, is := range []bool{t.At != nil, t.Latest, t.LatestBefore != nil} {
			if is {
				given++
			}
		}
		if given != 1 {
			c.add("pointInTime", fmt.Sprintf("has %d of at, latest and latestBefore", given), "exactly one of them")
		}
		if t.At != nil && t.At.After(now) {
			c.add("pointInTime.at", t.At.UTC().Format(time.RFC3339)+" is in the future", "a time that has passed")
		}
	}
}

// blobPathPattern is a container, or a container with the beginning of blob names. The
// end of a range is the next printable character, so a prefix ends before ~.
const blobPathPattern = `^[a-z0-9](-?[a-z0-9]){2,62}(/([!-}]+( [!-}]+)*)?)?$`

// blobPaths checks the paths and the new names of containers.
func (c *checks) blobPaths(p RestoreBlobs) {
	for i, path := range p.Paths {
		container, prefix, _ := strings.Cut(path, "/")
		if !isContainerName(container) || strings.ContainsFunc(prefix, func(r rune) bool { return r < ' ' || r > '}' }) || strings.Trim(prefix, " ") != prefix ||
			strings.Contains(prefix, "  ") || hasDotSegment(prefix) || strings.ContainsAny(prefix, `\?#%`) {
			c.add(fmt.Sprintf("paths[%d]", i), fmt.Sprintf("%q is not a container or the beginning of blob names", path), "container, or container/prefix of printable ASCII characters")
		}
		for _, other := range p.Paths[:i] {
			if overlap(path, other) {
				c.add(fmt.Sprintf("paths[%d]", i), fmt.Sprintf("%q overlaps %q", path, other), "paths of which none contains another")
			}
		}
	}
	limit := maxContainers
	if p.PointInTime != nil {
		limit = maxRanges
	}
	switch {
	case len(p.Paths) > limit:
		c.add("paths", fmt.Sprintf("has %d paths", len(p.Paths)), fmt.Sprintf("at most %d", limit))
	case len(p.Paths) == 0 && p.RecoveryPoint != nil:
		c.add("paths", "is missing for a vaulted backup", "the containers to restore")
	}
	c.renames(p)
}

// hasDotSegment reports whether a prefix has a segment . or .., which Azure
// resolves.
func hasDotSegment(prefix string) bool {
	for segment := range strings.SplitSeq(prefix, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// overlap reports whether one path contains the other.
func overlap(a, b string) bool {
	whole := func(path string) string {
		container, prefix, _ := strings.Cut(path, "/")
		return container + "/" + prefix
	}
	a, b = whole(a), whole(b)
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

func (c *checks) renames(p RestoreBlobs) {
	if len(p.Renames) > 0 && p.PointInTime != nil {
		c.add("renames", "is set for an operational backup", "no renames: an operational backup is restored in place")
	}
	taken := map[string]bool{}
	for _, b := range p.containers() {
		to := cmp.Or(b.RenameTo, b.Container)
		if taken[to] {
			c.add("renames."+b.Container, fmt.Sprintf("two containers are restored as %q", to), "a different name for each container")
		}
		taken[to] = true
	}
	for from, to := range p.Renames {
		switch {
		case !isContainerName(to):
			c.add("renames."+from, fmt.Sprintf("%q is not the name of a blob container", to), wantContainer)
		case !slices.ContainsFunc(p.containers(), func(b dataprotection.BlobPath) bool { return b.Container == from }):
			c.add("renames."+from, "is not a container of paths", "a container that paths names")
		}
	}
}

// allowsBlobs reports whether the restore may write to the account: an operator
// allows the account, or each of the containers that the restore writes to.
func allowsBlobs(g Guardrails, p RestoreBlobs) bool {
	if g.allowsResource(p.TargetAccountID) {
		return true
	}
	containers := p.containers()
	for _, b := range containers {
		if !g.allowsContainerID(p.TargetAccountID, cmp.Or(b.RenameTo, b.Container)) {
			return false
		}
	}
	return len(containers) > 0
}

// allowsContainerID reports whether an entry is the resource ID of a blob
// container.
func (g Guardrails) allowsContainerID(accountID, container string) bool {
	return g.allowsResource(strings.TrimRight(accountID, "/") + "/blobServices/default/containers/" + container)
}

func restoreBlobsParameters() schema.Parameters {
	point := schema.Fields{}
	for name, field := range recoveryPointFields() {
		point[name] = field
	}
	optional := point["recoveryPoint"]
	optional.Required, optional.When = false, "this or `pointInTime`"
	optional.Meaning = "vaulted backup: " + optional.Meaning
	point["recoveryPoint"] = optional
	return schema.Parameters{
		Type: reflect.TypeFor[RestoreBlobs](),
		Fields: restoreFields().With(point).With(schema.Fields{
			"pointInTime": {
				When: "this or `recoveryPoint`", Meaning: "operational backup: an object with exactly one of `at`, `latest` and `latestBefore`",
				Rule: schema.Object{"oneOf": []schema.Object{schema.Given("at"), schema.Is("latest", true), schema.Given("latestBefore")}},
			},
			"pointInTime.at":           {Meaning: "the time to restore to, in whole seconds; not in the future"},
			"pointInTime.latest":       {Meaning: "`true`: the newest restorable time"},
			"pointInTime.latestBefore": {Meaning: "the newest restorable time that is not younger than this time"},
			"targetAccountId": {
				Required: true, Rule: storageAccountRule(),
				Meaning: "resource ID of the storage account that is written to. Operational backup: the account that was backed up. Vaulted backup: another account",
			},
			"paths": {
				Meaning: "containers (`invoices`), or blobs whose names begin with a prefix (`invoices/2026/`). Operational backup: at most 10, default: the whole account. Vaulted backup: required, at most 100. None may contain another",
				Rule:    schema.Object{"maxItems": maxContainers, "items": schema.Object{"type": "string", "pattern": blobPathPattern}},
			},
			"renames": {
				When: "vaulted backup only", Meaning: "new names of containers in the target, by their old names. It needs a newer version of the API",
				Rule: schema.Object{"additionalProperties": schema.Object{"type": "string", "minLength": 3, "maxLength": 63, "pattern": containerPattern}},
			},
		}),
		Rules: schema.Object{
			"oneOf": schema.Each("pointInTime", "recoveryPoint"),
			"if":    schema.Given("recoveryPoint"),
			"then":  schema.Object{"required": []string{"paths"}, "properties": schema.Object{"paths": schema.Object{"minItems": 1}}},
			"else":  schema.Object{"properties": schema.Object{"paths": schema.Object{"maxItems": maxRanges}, "renames": schema.Object{"maxProperties": 0}}},
		},
	}
}

func (a azure) restoreBlobs() Definition {
	return Definition{
		Flow: step.Flow{
			Name: "restore-blobs", Version: 1,
			Summary:  "restore the blobs of a storage account to a time, or containers from the vault to another account, to the job's end",
			Guarded:  true,
			Deadline: 2 * 24 * time.Hour,
			Priority: operation.PriorityRestore,
			Check:    check(a.checkRestoreBlobs),
			Steps:    restoreSteps(a, allowsBlobs, "RestorableTimeRanges_Find"),
		},
		Role:       roles.Delete,
		Parameters: restoreBlobsParameters,
		Intro: "Restores blobs. An operational backup is restored in place, to a time: the whole account, containers or prefixes. A vaulted backup is " +
			"restored from a recovery point: containers or prefixes, to another account. " + onlyAllowedTargets + "the resource IDs of storage accounts, or of " +
			"containers (`{account}/blobServices/default/containers/{name}`).",
		Notes: "These restores are possible:\n\n" + wayTable(a.entries(kinds.DatasourceBlob, kinds.DatasourceADLS)...) +
			"\nA restore in place overwrites the blobs of the account. A restore to another account fails if a container of the name exists there.",
		Examples: restoreBlobsExamples(),
	}
}

func restoreBlobsExamples() []Example {
	return []Example{
		{
			File: "restore-blobs-in-place", About: "blobaccount1, in place", Key: "restore-blobaccount1", Deadline: "P1D", Labels: team("files"),
			Cost: "a prefix of an account, in place",
			Parameters: RestoreBlobs{
				BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleBlobs), PointInTime: &PointInTime{Latest: true},
				TargetAccountID: exampleBlobs, Paths: []string{"invoices/2026/", "images"},
			},
			After: []string{"protect-blobs-operational"},
		},
		{
			File: "restore-blobs-vaulted", About: "a container, to account 2", Key: "restore-vaultedaccount1", Deadline: "P1D", Labels: team("files"),
			Parameters: RestoreBlobs{
				BackupInstanceID: exampleBackupVault + "/backupInstances/" + InstanceName(exampleVaulted), RecoveryPoint: &RecoveryPoint{Latest: true},
				TargetAccountID: exampleRestored, Paths: []string{"invoices"},
			},
			After: []string{"backup-now-blobs"},
		},
	}
}
