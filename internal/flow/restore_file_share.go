package flow

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/schema"
	"azbackupflow/internal/step"
)

// RestoreFileShare restores a protected file share, or some of its files and
// folders.
// Source: learn.microsoft.com, "Restore Azure file share using REST API".
type RestoreFileShare struct {
	// ItemID or FileShare names the protected share.
	ItemID        string        `json:"itemId,omitempty"`
	FileShare     *FileShare    `json:"fileShare,omitempty"`
	RecoveryPoint RecoveryPoint `json:"recoveryPoint"`
	// ToOriginal restores into the share itself, ToShare into another one. The
	// setting AZBACKUPFLOW_RESTORE_TARGETS must allow both.
	ToOriginal bool     `json:"toOriginal,omitempty"`
	ToShare    *ToShare `json:"toShare,omitempty"`
	// OnConflict is Overwrite, Skip, CreateCopy or FailOnConflict.
	OnConflict string `json:"onConflict"`
	// Paths are the files and folders to restore; empty restores the whole share.
	Paths []RestoredPath `json:"paths,omitempty"`
	// RetryFailedJob is how often a job that failed is started again.
	RetryFailedJob int `json:"retryFailedJob,omitempty"`
}

// ToShare is a file share that the restore writes to. It must exist.
type ToShare struct {
	StorageAccountID string `json:"storageAccountId"`
	FileShare        string `json:"fileShare"`
}

// RestoredPath is a file or a folder of the share.
type RestoredPath struct {
	Path string `json:"path"`
	// Type is File (the default) or Directory.
	Type string `json:"type,omitempty"`
	// TargetFolder is a folder of another share.
	TargetFolder string `json:"targetFolder,omitempty"`
}

// maxRestoredPaths is the maximum number of paths of one restore, according to
// the Azure CLI.
const maxRestoredPaths = 99

const (
	pathIsFile   = "File"
	pathIsFolder = "Directory"
	// sharePathPattern is a path below a share: no slash at the ends, no part . or ..,
	// and none of the characters that file shares do not have.
	sharePathPart    = `(\.{0,2}[^./\\:*?"<>|\x00-\x1f\x7f][^/\\:*?"<>|\x00-\x1f\x7f]*|\.{3,}[^/\\:*?"<>|\x00-\x1f\x7f]*)`
	sharePathPattern = sharePathPart + `(/` + sharePathPart + `)*`
)

var sharePath = regexp.MustCompile(schema.Whole(sharePathPattern))

func conflictOptions() []string { return []string{"Overwrite", "Skip", "CreateCopy", "FailOnConflict"} }

func restoreFileShareParameters() schema.Parameters {
	target := targetFields()
	fields := schema.Fields{
		"itemId":                     {When: "this or `fileShare`", Rule: itemRule(), Meaning: "resource ID of the protected file share"},
		"fileShare":                  {When: "this or `itemId`", Meaning: "an object: the protected file share by its names"},
		"fileShare.vaultId":          target["fileShare.vaultId"],
		"fileShare.storageAccountId": target["fileShare.storageAccountId"],
		"fileShare.name":             target["fileShare.name"],
		"toOriginal":                 {When: "this or `toShare`", Meaning: "`true`: restore into the share itself, which must be an allowed restore target"},
		"toShare":                    {When: "this or `toOriginal`", Meaning: "an object: restore into another share, which exists and is an allowed restore target"},
		"toShare.storageAccountId":   {Required: true, Meaning: "resource ID of the target's storage account, in the region of the source's", Rule: storageAccountRule()},
		"toShare.fileShare":          {Required: true, Meaning: "name of the target share", Rule: fileShareRule()},
		"onConflict": {
			Required: true, Rule: schema.OneOf(conflictOptions()...),
			Meaning: "what happens to files that exist in the target: `Overwrite`, `Skip`, `CreateCopy` or `FailOnConflict`",
		},
		"paths":                {Meaning: "up to 99 files and folders; default: the whole share", Rule: schema.Object{"minItems": 1, "maxItems": maxRestoredPaths}},
		"paths[].path":         {Required: true, Meaning: "path of the file or folder in the share, without a slash at its beginning", Rule: schema.Matches(sharePathPattern)},
		"paths[].type":         {Meaning: "`File` (default) or `Directory`", Rule: schema.Object{"enum": []string{pathIsFile, pathIsFolder}, "default": pathIsFile}},
		"paths[].targetFolder": {When: "only with `toShare`", Meaning: "folder of the target share; default: the share itself", Rule: schema.Matches(sharePathPattern)},
	}
	return schema.Parameters{
		Type:   reflect.TypeFor[RestoreFileShare](),
		Fields: fields.With(itemPointFields()).With(retryFailedJobFields()),
		Rules: schema.Object{"allOf": []schema.Object{
			{"oneOf": schema.Each("itemId", "fileShare")},
			{"oneOf": []schema.Object{schema.Is("toOriginal", true), schema.Given("toShare")}},
			{
				"if":   schema.Is("toOriginal", true),
				"then": schema.Object{"properties": schema.Object{"paths": schema.Object{"items": schema.Missing("targetFolder")}}},
			},
		}},
	}
}

// itemPointFields describe the choice of a recovery point of a protected item.
func itemPointFields() schema.Fields {
	return schema.Fields{
		"recoveryPoint": {
			Required: true, Meaning: "an object with exactly one of `id`, `latest` and `latestBefore`",
			Rule: schema.Object{"oneOf": []schema.Object{schema.Given("id"), schema.Is("latest", true), schema.Given("latestBefore")}},
		},
		"recoveryPoint.id":           {Meaning: "ID of a usable recovery point", Rule: schema.Matches(pointPattern)},
		"recoveryPoint.latest":       {Meaning: "`true`: the newest usable recovery point"},
		"recoveryPoint.latestBefore": {Meaning: "the newest usable recovery point that is not younger than this time"},
	}
}

func (a azure) checkRestoreFileShare(c *checks, p *RestoreFileShare) {
	c.itemPoint(p.RecoveryPoint)
	c.retryFailedJob(p.RetryFailedJob)
	c.restoredShare(p)
	if !slices.Contains(conflictOptions(), p.OnConflict) {
		c.add("onConflict", fmt.Sprintf("%q is not an option", p.OnConflict), "one of "+strings.Join(conflictOptions(), ", "))
	}
	c.restoredPaths(p)
	switch {
	case p.ToOriginal == (p.ToShare != nil):
		c.add("toShare", "and toOriginal are both set or both missing", "exactly one of them")
	case p.ToShare != nil:
		before := len(c.invalid)
		c.storageAccount("toShare.storageAccountId", p.ToShare.StorageAccountID)
		c.fileShare("toShare.fileShare", p.ToShare.FileShare)
		if len(c.invalid) == before {
			c.allowed("toShare", p.ToShare.FileShare+" of "+p.ToShare.StorageAccountID, a.Guardrails.allowsShare(p.ToShare.StorageAccountID, p.ToShare.FileShare))
		}
	case p.FileShare != nil:
		c.allowed("toOriginal", p.FileShare.Name+" of "+p.FileShare.StorageAccountID, a.Guardrails.allowsShare(p.FileShare.StorageAccountID, p.FileShare.Name))
	}
}

// restoredShare checks that exactly one protected share is named.
func (c *checks) restoredShare(p *RestoreFileShare) {
	switch {
	case (p.ItemID == "") == (p.FileShare == nil):
		c.add("itemId", "and fileShare are both set or both missing", "exactly one of them")
	case p.FileShare != nil:
		c.vault("fileShare.vaultId", p.FileShare.VaultID)
		c.storageAccount("fileShare.storageAccountId", p.FileShare.StorageAccountID)
		c.fileShare("fileShare.name", p.FileShare.Name)
	default:
		if _, err := recoveryservices.ParseItemID(p.ItemID); err != nil {
			c.add("itemId", err.Error(), wantItem)
		}
	}
}

func (c *checks) restoredPaths(p *RestoreFileShare) {
	if len(p.Paths) > maxRestoredPaths || p.Paths != nil && len(p.Paths) == 0 {
		c.add("paths", fmt.Sprintf("has %d entries", len(p.Paths)), fmt.Sprintf("1 to %d, or no paths to restore the whole share", maxRestoredPaths))
	}
	const want = "a path in the share, such as folder/file.txt, without a slash at its beginning"
	for n := range p.Paths {
		one, field := &p.Paths[n], fmt.Sprintf("paths[%d].", n)
		if !sharePath.MatchString(one.Path) {
			c.add(field+"path", fmt.Sprintf("%q is not a path", one.Path), want)
		}
		if one.Type == "" {
			one.Type = pathIsFile
		}
		if one.Type != pathIsFile && one.Type != pathIsFolder {
			c.add(field+"type", fmt.Sprintf("%q is not a type", one.Type), "File or Directory")
		}
		switch {
		case one.TargetFolder == "":
		case p.ToOriginal:
			c.add(field+"targetFolder", "is set for a restore into the share itself", "no targetFolder: each file returns to its own folder")
		case !sharePath.MatchString(one.TargetFolder):
			c.add(field+"targetFolder", fmt.Sprintf("%q is not a path", one.TargetFolder), want)
		}
	}
}

func (a azure) restoreFileShare() Definition {
	choice := func(c step.Call) (itemPointChoice, error) {
		p, err := parametersOf[RestoreFileShare](c)
		return itemPointChoice{RecoveryPoint: p.RecoveryPoint}, err
	}
	return Definition{
		Flow: step.Flow{
			Name: "restore-file-share", Version: 1,
			Summary:  "restore a file share or up to 99 of its files and folders, into itself or into another share, to the job's end",
			Guarded:  true,
			Deadline: 2 * 24 * time.Hour,
			Priority: operation.PriorityRestore,
			Check:    check(a.checkRestoreFileShare),
			Steps: append([]step.Step{
				{
					Name: "find-item", Effect: step.Read, Run: with(a.findRestoredShare), Calls: []string{"BackupProtectedItems_List"},
					Asks: "for a file share by name, lists the vault's protected file shares", Then: "a share that is not protected is rejected",
				},
				a.readRestoredItemStep("file share", recoveryservices.ItemAzureFileShare),
				a.pickItemPointStep(choice),
			}, itemRestore{send: a.fileShareRestore, sameTarget: sameShare, result: restoredFiles}.steps(a)...),
		},
		Role:       roles.Delete,
		Parameters: restoreFileShareParameters,
		Intro: "Restores a file share, or some of its files and folders, from a recovery point. A restore writes data, so it is off until an operator " +
			"allows targets: the setting `AZBACKUPFLOW_RESTORE_TARGETS` lists the resource IDs of file shares, or of storage accounts for all of their shares.",
		Notes: "`learned` contains how many files were restored, skipped and failed. A restore that Azure reports as completed although it restored no " +
			"file, or failed to restore some, ends as `SucceededWithWarnings`.",
		Examples: []Example{{
			File: "restore-file-share", About: "a file of testshare", Key: "restore-testshare", Deadline: "P1D", Labels: team("files"),
			Parameters: RestoreFileShare{
				FileShare: exampleFileShare(), RecoveryPoint: RecoveryPoint{Latest: true}, ToOriginal: true, OnConflict: "Overwrite",
				Paths: []RestoredPath{{Path: "reports/june.xlsx"}},
			},
			After: []string{"protect-file-share"}, Cost: "a file of a share",
		}},
	}
}

func (a azure) findRestoredShare(ctx context.Context, c step.Call, p RestoreFileShare) (operation.Outcome, error) {
	return a.findTarget(ctx, c, Target{ItemID: p.ItemID, FileShare: p.FileShare})
}

// fileShareRestore returns the request. For a share that is named by its ID, the
// original is known only now.
func (a azure) fileShareRestore(_ context.Context, c step.Call) (recoveryservices.Restore, error) {
	p, err := parametersOf[RestoreFileShare](c)
	if err != nil {
		return nil, err
	}
	known := c.Operation.Learned
	r := recoveryservices.FileShareRestore{SourceResourceID: known[learnedSource], Conflict: p.OnConflict}
	account, share := known[learnedSource], known[learnedName]
	if p.ToShare != nil {
		account, share = p.ToShare.StorageAccountID, p.ToShare.FileShare
		r.Target = &recoveryservices.ShareTarget{StorageAccountID: account, Share: share}
	}
	if !a.Guardrails.allowsShare(account, share) {
		return nil, notAllowedTarget("file share " + share + " of " + account)
	}
	for _, path := range p.Paths {
		r.Files = append(r.Files, recoveryservices.RestoredFile{Path: path.Path, Folder: path.Type == pathIsFolder, TargetFolder: path.TargetFolder})
	}
	return r, nil
}

// notAllowedTarget returns the error of a restore whose target is not allowed at
// the step that would start it.
func notAllowedTarget(target string) *operation.Error {
	return fatal("NotAllowed", "a restore to the "+target+" is not allowed; nothing was sent to Azure",
		"Ask the operator of azbackupflow to allow it with the setting "+settingTargets+".")
}

// sameShare compares a job's target, such as account/share/folder. Restores of
// some files may have the same target, so it does not prove them.
func sameShare(c step.Call, job recoveryservices.Job) match {
	p, err := parametersOf[RestoreFileShare](c)
	destination := strings.Split(job.PropertyBag["RestoreDestination"], "/")
	if err != nil || len(destination) < 2 {
		return ambiguousItem
	}
	account, share := c.Operation.Learned[learnedSource], c.Operation.Learned[learnedName]
	if p.ToShare != nil {
		account, share = p.ToShare.StorageAccountID, p.ToShare.FileShare
	}
	switch {
	case !strings.EqualFold(destination[0], resourceid.LastName(account)), !strings.EqualFold(destination[1], share):
		return otherItem
	case len(p.Paths) > 0:
		return ambiguousItem
	}
	return sameItem
}

// The facts of a restored file share.
const (
	learnedRestoredFiles = "restoredFiles"
	learnedSkippedFiles  = "skippedFiles"
	learnedFailedFiles   = "failedFiles"
	learnedDestination   = "restoreDestination"
)

// restoredFiles returns the numbers of files. Azure reports a restore of no files
// as completed.
func restoredFiles(_ step.Call, job recoveryservices.Job) (facts map[string]string, warnings []string) {
	bag := job.PropertyBag
	facts = map[string]string{
		learnedRestoredFiles: bag["Number Of Restored Files"], learnedSkippedFiles: bag["Number Of Skipped Files"],
		learnedFailedFiles: bag["Number Of Failed Files"], learnedDestination: bag["RestoreDestination"],
	}
	if failed := facts[learnedFailedFiles]; failed != "" && failed != "0" {
		warnings = append(warnings, failed+" files could not be restored; look at the job's details in the vault")
	}
	if facts[learnedRestoredFiles] == "0" {
		warnings = append(warnings, "Azure completed the restore, but restored 0 files: the paths or the share were empty, or all files were skipped")
	}
	return facts, warnings
}
