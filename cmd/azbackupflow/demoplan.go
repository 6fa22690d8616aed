package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"

	"azbackupflow/internal/api"
)

// demoFirst is the example that the demo shows step by step.
const demoFirst = "protect-file-share.json"

// demoItem is one further request that the demo runs: an example, and what has
// to be done before.
type demoItem struct {
	file string
	// what says in a few words what the example is about.
	what  string
	after []string
	// jobOf is the example whose job this one follows, once it has one.
	jobOf string
}

// demoPlan is what the demo runs after the first request. What works on the same
// item waits; everything else goes on at the same time.
//
// The share is stopped after the machine's long backup, because the simulator
// notes a backup's end on its item two minutes later, and would then take the
// stopped item for a protected one.
func demoPlan() []demoItem {
	const (
		share, machine, protect         = "backup-now-file-share.json", "backup-now-vm.json", "protect-postgres.json"
		stop                            = "stop-protection.json"
		asFiles, asDatabase, andArchive = "restore-postgres-files.json", "restore-postgres-database.json", "restore-postgres-database-archive.json"
	)
	return []demoItem{
		{file: andArchive, what: "empdb11, from archive"},
		{file: machine, what: "virtual machine vm1"},
		{file: "track-job.json", what: "the job of vm1", jobOf: machine},
		{file: "backup-now-sql.json", what: "SQL database orders"},
		{file: share, what: "file share testshare"},
		{file: stop, what: "file share testshare", after: []string{share, machine}},
		{file: "resume-protection.json", what: "file share testshare", after: []string{stop}},
		{file: protect, what: "pgflextestserver"},
		{file: "backup-now-postgres.json", what: "pgflextestserver", after: []string{protect}},
		{file: asFiles, what: "empdb11, as files"},
		{file: asDatabase, what: "empdb11, as database"},
		{file: "delete-protection.json", what: "empdb11", after: []string{asFiles, asDatabase, andArchive}},
	}
}

// demoPermits are the app settings that allow what the examples do to the
// simulated Azure: nothing there can come to harm.
func demoPermits() map[string]string {
	return map[string]string{
		"AZBACKUPFLOW_ALLOW_DELETE": "true",
		"AZBACKUPFLOW_RESTORE_TARGETS": strings.Join([]string{
			"https://testossstorageaccount.blob.core.windows.net/testcontainerrestore",
			"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver",
		}, ","),
	}
}

// demoRequest reads one of the examples.
func demoRequest(folder, file string) (api.Request, error) {
	path := filepath.Join(folder, file)
	raw, err := readFile(path, nil)
	if err != nil {
		return api.Request{}, &usage{text: err.Error(), advice: "run it in the project's folder, or say with --examples where the requests are"}
	}
	return decodeRequest(raw, path)
}

// trackJobOf makes a request follow the job of an operation on an item. The
// operation has the job's name alone.
func trackJobOf(r api.Request, v api.Operation) (api.Request, error) {
	var about struct {
		ItemID string `json:"itemId"`
	}
	if err := json.Unmarshal(v.Parameters, &about); err != nil {
		return r, err
	}
	vault, _, found := strings.Cut(about.ItemID, "/backupFabrics/")
	if v.JobID == "" {
		return r, errors.New("not run, because there is no job to follow")
	}
	if !found {
		return r, errors.New("the operation " + v.ID + " is not about an item of a Recovery Services vault")
	}
	raw, err := json.Marshal(map[string]string{"jobId": vault + "/backupJobs/" + v.JobID})
	if err != nil {
		return r, err
	}
	r.Parameters = raw
	return r, nil
}
