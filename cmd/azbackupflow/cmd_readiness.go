package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/readiness"
)

type readinessCommand struct {
	Vaults      []string `arg:"" optional:"" name:"vault" complete:"vault-id" help:"Resource IDs of the vaults to report on. Without any: every vault that the app knows, and every resource that protection rules decide about."`
	MaxPointAge string   `placeholder:"DURATION" help:"Maximum age of the newest backup (RPO), such as 1d. Without it, the age is not judged."`
	MaxProofAge string   `placeholder:"DURATION" default:"365d" help:"Age from which a drill proves nothing."`
	Tag         string   `placeholder:"NAME" help:"Name of a tag to score by."`
	State       []string `placeholder:"STATE" help:"Only resources in this state: Proven, NotProven, ObjectivesMissed, NotProtected or Excluded. Repeat the flag for more."`
	Points      bool     `help:"Read the recovery points of each item, with their tier: one call of Azure for each."`
	MaxAge      string   `placeholder:"DURATION" default:"1h" help:"Maximum age of the data, at least 5m. Older data is read again."`
	Evidence    []string `placeholder:"FILE" complete:"file" help:"File with the evidence of a restore drill. Repeat the flag for each drill."`
	Key         []string `placeholder:"FILE" complete:"file" help:"PEM file with a public key that you trust. Repeat the flag after a change of keys."`
	CSV         string   `placeholder:"FILE" complete:"file" help:"Write the resources as CSV to a new file; - writes standard output."`
	HTML        string   `placeholder:"FILE" complete:"file" help:"Write the report as an HTML page to a new file; - writes standard output."`
	Partial     bool     `help:"Show the report even if parts of it cannot be read."`
	Timeout     string   `placeholder:"DURATION" default:"1h" help:"Maximum time to wait until the app has read Azure."`
}

// Help is shown below the command's own help.
func (readinessCommand) Help() string {
	return `The app reads Azure in short steps, within Azure's rate limits, and keeps what it
has read. So a report that was interrupted continues where it stopped.

  azbackupflow readiness --max-point-age 1d --tag env
  azbackupflow readiness --max-point-age 1d \
    --html report.html --csv report.csv`
}

// Run waits until the app has read Azure, and shows the report. If a part cannot be
// read or evidence is not verified, there is no report: it would be incomplete.
func (c *readinessCommand) Run(ctx context.Context, a *app) error {
	settings, err := c.settings(a)
	if err != nil {
		return err
	}
	calls, err := a.client()
	if err != nil {
		return err
	}
	report, err := c.collect(ctx, a, calls, settings)
	if err != nil {
		return err
	}
	if report, err = settings.withEvidence(report); err != nil {
		return err
	}
	if len(settings.states) > 0 {
		report.Items = slices.DeleteFunc(report.Items, func(i api.ReadinessItem) bool { return !slices.Contains(settings.states, i.State) })
	}
	return c.show(a, report)
}

// readinessSettings are the checked flags.
type readinessSettings struct {
	query              api.ReadinessQuery
	proofAge, pointAge time.Duration
	timeout            time.Duration
	states             []api.ReadinessState
	drills             []evidence.Evidence
	partial            bool
}

// settings checks the flags and verifies the evidence.
func (c *readinessCommand) settings(a *app) (s readinessSettings, err error) {
	s.partial = c.Partial
	var maxAge time.Duration
	for _, f := range []struct {
		name, text, example string
		into                *time.Duration
	}{
		{"--max-point-age", c.MaxPointAge, "1d", &s.pointAge}, {"--max-proof-age", c.MaxProofAge, "365d", &s.proofAge},
		{"--max-age", c.MaxAge, "1h", &maxAge}, {"--timeout", c.Timeout, "1h", &s.timeout},
	} {
		if *f.into, err = cli.ParseDurationFlag(f.name, f.text); err != nil {
			return s, err
		}
		if f.text != "" && *f.into < time.Second {
			return s, &cli.UsageError{Text: fmt.Sprintf("%s %q is too short", f.name, f.text), Remedy: "use a positive duration such as " + f.example}
		}
	}
	for _, text := range c.State {
		i := slices.IndexFunc(api.ReadinessStates(), func(s api.ReadinessState) bool { return strings.EqualFold(string(s), text) })
		if i < 0 {
			return s, &cli.UsageError{Text: fmt.Sprintf("--state %q is not a state", text), Remedy: "use one of " + api.Listed(api.ReadinessStates())}
		}
		s.states = append(s.states, api.ReadinessStates()[i])
	}
	if c.CSV == "-" && c.HTML == "-" {
		return s, &cli.UsageError{Text: "--csv and --html both name standard output (-)", Remedy: "write one of them to a file"}
	}
	s.query = api.ReadinessQuery{
		Vaults: c.Vaults, Tag: c.Tag, Points: c.Points, PageSize: api.MaxPageSize,
		MaxPointAge: isoSeconds(s.pointAge), MaxProofAge: isoSeconds(s.proofAge), MaxAge: isoSeconds(maxAge),
	}
	if len(c.Evidence) > 0 && len(c.Key) == 0 {
		return s, &cli.UsageError{Text: "--evidence is set without --key", Remedy: "add --key with the public key that you trust"}
	}
	keys, err := trustedKeys{c.Key}.read(a, c.Evidence...)
	if err != nil {
		return s, err
	}
	for _, file := range c.Evidence {
		verified, err := a.verifiedEvidence(file, keys)
		if err != nil {
			return s, err
		}
		s.drills = append(s.drills, verified.Evidence)
	}
	return s, nil
}

func isoSeconds(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return fmt.Sprintf("PT%dS", int64(d/time.Second))
}

// collect repeats the request until the report is complete, and reads its pages.
func (c *readinessCommand) collect(ctx context.Context, a *app, calls *client.Client, s readinessSettings) (api.Readiness, error) {
	until := a.now().Add(s.timeout)
	var report api.Readiness
	for {
		var err error
		if report, err = calls.Readiness(ctx, s.query); err != nil {
			return report, fmt.Errorf("make the readiness report: %w", err)
		}
		if report.Scan.Complete {
			break
		}
		wait := time.Duration(max(report.Scan.RetryAfterSeconds, 1)) * time.Second
		if a.now().Add(wait).After(until) {
			return report, fmt.Errorf("the report is not complete after %s: %d of %d parts are read; repeat the command, which continues, or use a longer --timeout", c.Timeout, report.Scan.Read, report.Scan.Parts)
		}
		a.note("%d of %d parts are read; waiting %s", report.Scan.Read, report.Scan.Parts, wait)
		if err := a.sleep(ctx, wait); err != nil {
			return report, err
		}
	}
	if problems := report.Scan.Problems; len(problems) > 0 {
		for _, p := range problems {
			a.note("%s %s cannot be read: %s: %s", p.Part, p.Subject, p.Code, p.Message)
		}
		if !s.partial {
			return report, fmt.Errorf("%d of %d parts of the report cannot be read; solve the problems above, or add --partial to see the rest", len(problems), report.Scan.Parts)
		}
	}
	for next := s.query; report.Continue != ""; {
		next.Continue = report.Continue
		page, err := calls.Readiness(ctx, next)
		if err != nil {
			return report, fmt.Errorf("read the next page of the readiness report: %w", err)
		}
		report.Items, report.Continue = append(report.Items, page.Items...), page.Continue
	}
	return report, nil
}

// withEvidence returns the report with the drills of the files, judged again.
func (s readinessSettings) withEvidence(report api.Readiness) (api.Readiness, error) {
	if len(s.drills) == 0 {
		return report, nil
	}
	judge, err := readiness.New(readiness.Config{Now: report.At, MaxProofAge: s.proofAge, MaxPointAge: s.pointAge})
	if err != nil {
		return report, err
	}
	drills := readiness.NewDrills(s.drills)
	for n, i := range report.Items {
		report.Items[n] = judge.Assess(drills.Apply(i))
	}
	vaults := make([]string, len(report.Vaults))
	for n, v := range report.Vaults {
		vaults[n] = v.ID
	}
	report.Scores = readiness.Scores(report.Items, vaults, s.query.Tag != "")
	return report, nil
}

// show writes the files, and the report unless it went to standard output.
func (c *readinessCommand) show(a *app, report api.Readiness) error {
	for _, f := range []struct {
		flag, name string
		write      func(io.Writer, api.Readiness) error
	}{{"--csv", c.CSV, readiness.WriteCSV}, {"--html", c.HTML, readiness.WritePage}} {
		if f.name == "" {
			continue
		}
		var content bytes.Buffer
		if err := f.write(&content, report); err != nil {
			return err
		}
		if f.name == "-" {
			if _, err := a.stdout.Write(content.Bytes()); err != nil {
				return fmt.Errorf("write standard output: %w", err)
			}
			continue
		}
		if err := writeNew(f.flag, f.name, content.Bytes()); err != nil {
			return err
		}
	}
	if c.CSV == "-" || c.HTML == "-" {
		return nil
	}
	return a.showReadiness(report)
}
