package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/readiness"
)

type readinessCommand struct {
	Vaults      []string `arg:"" name:"vault" help:"Resource IDs of the vaults."`
	Evidence    []string `placeholder:"FILE" complete:"file" help:"File with the evidence of a restore drill. Repeat the flag for each drill."`
	Key         []string `placeholder:"FILE" complete:"file" help:"PEM file with a public key that you trust. Repeat the flag after a change of keys."`
	MaxPointAge string   `placeholder:"DURATION" help:"Maximum age of the last recovery point, such as 1d. Without it, the age is not judged."`
	MaxProofAge string   `placeholder:"DURATION" default:"365d" help:"Age from which a drill proves nothing."`
}

// readinessReport is the JSON output of readiness.
type readinessReport struct {
	Scores []readiness.Score `json:"scores"`
	Items  []readiness.Item  `json:"items"`
}

// Run lists the items of the vaults and judges each. If a vault cannot be listed or
// evidence is not verified, there is no report: it would be incomplete.
func (c *readinessCommand) Run(ctx context.Context, a *app) error {
	assessor, err := c.assessor(a)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	report := readinessReport{Items: []readiness.Item{}}
	seen := map[string]bool{}
	for _, vault := range c.Vaults {
		vault = strings.TrimRight(vault, "/")
		if seen[strings.ToLower(vault)] {
			return &cli.UsageError{Text: fmt.Sprintf("vault %s is named twice", vault), Remedy: "name each vault once"}
		}
		seen[strings.ToLower(vault)] = true
		list, err := client.Inventory(ctx, "/items", map[string]string{"vault": vault})
		if err != nil {
			return fmt.Errorf("list the items of %s: %w", vault, err)
		}
		items := make([]readiness.Item, len(list.Entries))
		for i, entry := range list.Entries {
			items[i] = assessor.Assess(vault, entry)
		}
		report.Scores = append(report.Scores, readiness.Count(vault, items))
		report.Items = append(report.Items, items...)
	}
	return a.showReadiness(report)
}

// assessor checks the flags and verifies the evidence.
func (c *readinessCommand) assessor(a *app) (*readiness.Assessor, error) {
	pointAge, err := cli.ParseDurationFlag("--max-point-age", c.MaxPointAge)
	if err != nil {
		return nil, err
	}
	proofAge, err := cli.ParseDurationFlag("--max-proof-age", c.MaxProofAge)
	switch {
	case err != nil:
		return nil, err
	case proofAge <= 0:
		return nil, &cli.UsageError{Text: fmt.Sprintf("--max-proof-age %q is too short", c.MaxProofAge), Remedy: "use a positive duration such as 365d"}
	case c.MaxPointAge != "" && pointAge <= 0:
		return nil, &cli.UsageError{Text: fmt.Sprintf("--max-point-age %q is too short", c.MaxPointAge), Remedy: "use a positive duration such as 1d"}
	case len(c.Evidence) > 0 && len(c.Key) == 0:
		return nil, &cli.UsageError{Text: "--evidence is set without --key", Remedy: "add --key with the public key that you trust"}
	}
	keys, err := trustedKeys{c.Key}.read(a, c.Evidence...)
	if err != nil {
		return nil, err
	}
	drills := make([]evidence.Evidence, 0, len(c.Evidence))
	for _, file := range c.Evidence {
		verified, err := a.verifiedEvidence(file, keys)
		if err != nil {
			return nil, err
		}
		drills = append(drills, verified.Evidence)
	}
	return readiness.New(readiness.Config{Now: a.now(), MaxProofAge: proofAge, MaxPointAge: pointAge, Drills: drills})
}

func (a *app) showReadiness(report readinessReport) error {
	if a.out.Structured() {
		return a.out.Data(report)
	}
	var scores, rows [][]string
	for _, s := range report.Scores {
		row := []string{render.Plain(s.VaultID)}
		for _, n := range []int{s.Items, s.Proven, s.NotProven, s.ObjectivesMissed, s.NotProtected} {
			row = append(row, strconv.Itoa(n))
		}
		scores = append(scores, row)
	}
	a.out.Columns([]render.Column{
		{Heading: "Vault", Middle: true, Min: 8}, {Heading: "Items"}, {Heading: "Proven"}, {Heading: "Not proven"}, {Heading: "Missed"}, {Heading: "Unprotected"},
	}, scores)
	if len(report.Items) == 0 {
		return nil
	}
	a.out.Line("")
	for _, i := range report.Items {
		rows = append(rows, []string{render.Plain(i.Name), render.Plain(i.Type), string(i.State), render.Plain(strings.Join(i.Reasons, "; "))})
	}
	a.out.Table([]string{"Item", "Type", "State", "Reasons"}, rows)
	return nil
}
