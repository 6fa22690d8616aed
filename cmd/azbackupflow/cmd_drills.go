package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/drill"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/stack"
)

type drillsCommand struct {
	List     drillsListCommand     `cmd:"" help:"List the restore drills of the app, with their next runs and last results."`
	Runs     drillsRunsCommand     `cmd:"" help:"List the runs of drills, with the state of their operations."`
	Run      drillsRunCommand      `cmd:"" help:"Start a run of a drill of the app now."`
	Pause    drillsPauseCommand    `cmd:"" help:"Pause a drill of the app: it starts no runs until it is resumed."`
	Resume   drillsResumeCommand   `cmd:"" help:"Resume a paused drill of the app."`
	Answer   drillsAnswerCommand   `cmd:"" help:"Answer the validation that a drill waits for."`
	Evidence drillsEvidenceCommand `cmd:"" help:"List the evidence of drills, newest first."`
	Download drillsDownloadCommand `cmd:"" help:"Download the signed evidence of a drill."`
	Key      drillsKeyCommand      `cmd:"" help:"Write the public key that verifies new evidence of the app."`
	Check    drillsCheckCommand    `cmd:"" help:"Check drills.yaml: every drill, its items, its target and its limits."`
	Verify   drillsVerifyCommand   `cmd:"" help:"Verify the signature of a drill's evidence, offline, and show what it proves."`
	Page     drillsPageCommand     `cmd:"" help:"Verify a drill's evidence, and write it as a printable HTML page."`
	Summary  drillsSummaryCommand  `cmd:"" help:"Verify the evidence of many drills, and count their results by month and vault."`
}

type drillsCheckCommand struct {
	File string `short:"f" default:"drills.yaml" help:"File to check."`
}

// Run shows the problems of the file.
func (c *drillsCheckCommand) Run(a *app) error {
	raw, err := cli.ReadFile(c.File, a.stdin)
	if err != nil {
		return err
	}
	allowed, known := a.drillTargets(filepath.Dir(c.File))
	if !known {
		drills, err := drill.Parse(c.File, raw)
		if err := a.showCheck(c.File, "drills", len(drills), err); err != nil {
			return err
		}
		if len(drills) > 0 && !a.out.Structured() {
			a.out.Line("The targets were not compared with %s, which is not set here.", drillTargetsSetting)
		}
		return nil
	}
	drills, err := drill.ParseAllowed(c.File, raw, flow.Guardrails{DrillTargets: allowed}.AllowsDrillIn)
	return a.showCheck(c.File, "drills", len(drills), err)
}

const drillTargetsSetting = "AZBACKUPFLOW_DRILL_TARGETS"

// drillTargets returns the targets of drills that the environment allows, else
// local.settings.json in a folder. known is false if neither has the setting.
func (a *app) drillTargets(folder string) (targets []string, known bool) {
	value, known := a.lookup(drillTargetsSetting)
	if !known {
		var local struct{ Values map[string]any }
		raw, err := os.ReadFile(filepath.Join(folder, stack.SettingsFile))
		if err != nil || json.Unmarshal(raw, &local) != nil {
			return nil, false
		}
		if value, known = local.Values[drillTargetsSetting].(string); !known {
			return nil, false
		}
	}
	return strings.Split(value, ","), true
}

type drillsVerifyCommand struct {
	File string `arg:"" complete:"file" help:"File with the evidence; - reads standard input."`
	trustedKeys
	RequireProven bool `help:"Exit with 1 unless the result of the drill is Proven."`
}

// trustedKeys are the flags of the commands that verify evidence.
type trustedKeys struct {
	Key []string `required:"" placeholder:"FILE" complete:"file" help:"PEM file with a public key that you trust. Repeat the flag after a change of keys."`
}

// read reads the keys. Standard input can only be one of the files.
func (k trustedKeys) read(a *app, files ...string) ([]evidence.PublicKey, error) {
	var keys []evidence.PublicKey
	used := 0
	for _, name := range append(slices.Clone(files), k.Key...) {
		if name == "-" {
			used++
		}
	}
	if used > 1 {
		return nil, &cli.UsageError{Text: "standard input (-) is named more than once", Remedy: "read the others from files"}
	}
	for _, name := range k.Key {
		raw, err := cli.ReadFile(name, a.stdin)
		if err != nil {
			return nil, err
		}
		key, err := evidence.ParsePublicKey(raw)
		if err != nil {
			return nil, &cli.UsageError{Text: fmt.Sprintf("--key: %s %v", name, err)}
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// verifiedFile is the JSON output of drills verify.
type verifiedFile struct {
	File     string            `json:"file"`
	KeyID    string            `json:"keyId"`
	Evidence evidence.Evidence `json:"evidence"`
}

// Run verifies the file.
func (c *drillsVerifyCommand) Run(a *app) error {
	keys, err := c.read(a, c.File)
	if err != nil {
		return err
	}
	verified, err := a.verifiedEvidence(c.File, keys)
	if err != nil {
		return err
	}
	e := verified.Evidence
	if a.out.Structured() {
		err = a.out.Data(verifiedFile{c.File, verified.KeyID, e})
	} else {
		a.showEvidence(c.File, verified)
	}
	if err == nil && c.RequireProven && e.Result != evidence.Proven {
		return fmt.Errorf("the signature is valid, but the result of drill %s is %s, not %s", e.ID, e.Result, evidence.Proven)
	}
	return err
}

// verifiedEvidence reads and verifies a file of evidence.
func (a *app) verifiedEvidence(file string, keys []evidence.PublicKey) (evidence.Verified, error) {
	raw, err := cli.ReadFile(file, a.stdin)
	if err != nil {
		return evidence.Verified{}, err
	}
	verified, err := evidence.Verify(file, raw, keys)
	var rejected *evidence.NotVerifiedError
	if errors.As(err, &rejected) {
		return verified, fmt.Errorf("%s is not verified: %w", file, err)
	}
	return verified, err
}

func (a *app) showEvidence(file string, v evidence.Verified) {
	e := v.Evidence
	a.out.Line("%s is verified: it has not changed since it was signed.", render.Plain(file))
	facts := []render.Fact{
		{Name: "Result", Value: string(e.Result)},
		{Name: "Drill", Value: render.Plain(e.Drill.Name + ", " + e.Drill.Run)},
		{Name: "Item", Value: render.Plain(e.Item.Name + " (" + e.Item.Type + ")")},
		{Name: "Started", Value: render.Time(e.Started)},
	}
	if e.Point != nil {
		facts = append(facts, render.Fact{Name: "Recovery point", Value: render.Time(e.Point.Time) + " (" + render.Plain(e.Point.Rule) + ")"})
	}
	facts = append(facts, objectiveFacts("Restore time", e.Objectives.RTO)...)
	facts = append(facts, objectiveFacts("Point age", e.Objectives.RPO)...)
	for _, p := range e.Phases {
		if p.Result != evidence.PhaseSucceeded {
			facts = append(facts, render.Fact{Name: "Failed phase", Value: render.Plain(string(p.Name) + ": " + p.Error)})
		}
	}
	for _, c := range e.Checks {
		facts = append(facts, render.Fact{Name: "Check", Value: render.Plain(c.Name + ": " + string(c.Result) + ", " + c.Found)})
	}
	validation := string(e.Validation.Result)
	if e.Validation.By != "" {
		validation += " by " + e.Validation.By
	}
	facts = append(facts, render.Fact{Name: "Validation", Value: render.Plain(validation)})
	if len(e.NotValidated) > 0 {
		facts = append(facts, render.Fact{Name: "Not validated", Value: render.Plain(strings.Join(e.NotValidated, "; "))})
	}
	a.out.Facts(append(facts, render.Fact{Name: "Signed by key", Value: v.KeyID}))
}

// objectiveFacts returns the fact of a measured objective; none if it is nil.
func objectiveFacts(name string, o *evidence.Objective) []render.Fact {
	switch {
	case o == nil:
		return nil
	case o.Met == nil:
		return []render.Fact{{Name: name, Value: o.Measured + ", without an objective"}}
	case *o.Met:
		return []render.Fact{{Name: name, Value: o.Measured + ", within " + o.Maximum}}
	}
	return []render.Fact{{Name: name, Value: o.Measured + ", more than " + o.Maximum}}
}
