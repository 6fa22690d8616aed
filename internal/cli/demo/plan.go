package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
)

// firstExample is the example that the demo shows step by step.
const firstExample = "protect-file-share.json"

// planItem is one further request that the demo runs.
type planItem struct {
	file string
	// what describes the example in a few words.
	what string
	// after lists the examples that must end first.
	after []string
	// jobOf is the example whose job this one follows.
	jobOf string
}

// plan returns the requests after the first. Requests for the same item run one
// after the other; all others run in parallel.
//
// The share is stopped after the long backup of the virtual machine: the
// simulator writes the end of a backup to its item two minutes later, and that
// would make the stopped item look protected.
func plan() []planItem {
	const (
		share, machine, protect         = "backup-now-file-share.json", "backup-now-vm.json", "protect-postgres.json"
		stop                            = "stop-protection.json"
		asFiles, asDatabase, andArchive = "restore-postgres-files.json", "restore-postgres-database.json", "restore-postgres-database-archive.json"
	)
	return []planItem{
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

// readExample reads an example request.
func readExample(folder, file string) (api.Request, error) {
	path := filepath.Join(folder, file)
	raw, err := cli.ReadFile(path, nil)
	if err != nil {
		return api.Request{}, withRemedy(err, "run the command in the folder of the project, or set --examples")
	}
	return cli.DecodeRequest(raw, path)
}

// trackJobOf returns the request with the job of another operation. The
// operation holds only the name of the job, so the vault is that of its item.
func trackJobOf(r api.Request, op api.Operation) (api.Request, error) {
	var parameters struct {
		ItemID string `json:"itemId"`
	}
	if err := json.Unmarshal(op.Parameters, &parameters); err != nil {
		return r, fmt.Errorf("decode the parameters of operation %s: %w", op.ID, err)
	}
	vault, _, found := strings.Cut(parameters.ItemID, "/backupFabrics/")
	if op.JobID == "" {
		return r, errors.New("not started: the operation has no job to follow")
	}
	if !found {
		return r, fmt.Errorf("parameters.itemId of operation %s is not an item of a Recovery Services vault", op.ID)
	}
	raw, err := json.Marshal(map[string]string{"jobId": vault + "/backupJobs/" + op.JobID})
	if err != nil {
		return r, err
	}
	r.Parameters = raw
	return r, nil
}
