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

// planFile lists what the demo runs. It is generated from the definitions of the
// flows.
const planFile = "demo/plan.json"

// planItem is one request that the demo runs. The demo shows the first one step
// by step; the others run in parallel, as far as they need not wait for each
// other.
type planItem struct {
	// File is the request's file in the folder with the examples.
	File string `json:"file"`
	// About names in a few words what the request works on.
	About string `json:"about"`
	// After lists the files whose operations must end first.
	After []string `json:"after"`
	// JobOf is the file of the operation whose job this one follows.
	JobOf string `json:"jobOf"`
}

// readPlan reads the plan from the folder with the examples.
func readPlan(folder string) (first planItem, rest []planItem, err error) {
	path := filepath.Join(folder, filepath.FromSlash(planFile))
	raw, err := cli.ReadFile(path, nil)
	if err != nil {
		return first, nil, withRemedy(err, examplesRemedy)
	}
	var all []planItem
	if err := json.Unmarshal(raw, &all); err != nil {
		return first, nil, fmt.Errorf("decode %s: %w", path, err)
	}
	if len(all) == 0 {
		return first, nil, fmt.Errorf("%s lists no request", path)
	}
	return all[0], all[1:], nil
}

const examplesRemedy = "run the command in the folder of the project, or set --examples"

// readExample reads an example request.
func readExample(folder, file string) (api.Request, error) {
	path := filepath.Join(folder, file)
	raw, err := cli.ReadFile(path, nil)
	if err != nil {
		return api.Request{}, withRemedy(err, examplesRemedy)
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
