package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/drill/evidence"
)

type drillsPageCommand struct {
	File string `arg:"" complete:"file" help:"File with the evidence; - reads standard input."`
	trustedKeys
	To string `required:"" placeholder:"FILE" complete:"file" help:"HTML file to write. It must not exist."`
}

// Run writes the page of evidence that is verified.
func (c *drillsPageCommand) Run(a *app) error {
	keys, err := c.read(a, c.File)
	if err != nil {
		return err
	}
	verified, err := a.verifiedEvidence(c.File, keys)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := evidence.WritePage(&page, verified); err != nil {
		return err
	}
	if err := writeNew("--to", c.To, page.Bytes()); err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(map[string]any{"file": c.To, "id": verified.Evidence.ID})
	}
	a.out.Line("The page of drill %s is written.", render.Plain(verified.Evidence.ID))
	return nil
}

// writeNew writes a file that must not exist.
func writeNew(flag, name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		return &cli.UsageError{Text: fmt.Sprintf("%s: file %s exists", flag, name), Remedy: "name a new file"}
	case err != nil:
		return &cli.UsageError{Text: fmt.Sprintf("%s: file %s cannot be written", flag, name), Remedy: "name a file in a folder that exists and that you may write to"}
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

type drillsSummaryCommand struct {
	Files []string `arg:"" name:"file" complete:"file" help:"Files with evidence."`
	trustedKeys
	Month string `placeholder:"MONTH" help:"Only drills that started in this month (UTC), such as 2026-11."`
}

// drillsSummary is the JSON output of drills summary.
type drillsSummary struct {
	Summaries []evidence.Summary `json:"summaries"`
	// NotVerified are the files that are not counted.
	NotVerified []string `json:"notVerified"`
}

// Run counts the drills whose evidence is verified. It fails if a file is not,
// because the counts would then be incomplete.
func (c *drillsSummaryCommand) Run(a *app) error {
	if _, err := time.Parse("2006-01", c.Month); c.Month != "" && err != nil {
		return &cli.UsageError{Text: fmt.Sprintf("--month %q is not a month", c.Month), Remedy: "use a year and a month such as 2026-11"}
	}
	keys, err := c.read(a, c.Files...)
	if err != nil {
		return err
	}
	list := drillsSummary{NotVerified: []string{}}
	var drills []evidence.Evidence
	fileOf := map[string]string{} // by drill ID
	for _, file := range c.Files {
		verified, err := a.verifiedEvidence(file, keys)
		var usage *cli.UsageError
		switch {
		case errors.As(err, &usage):
			return err
		case err != nil:
			list.NotVerified = append(list.NotVerified, file)
			a.out.Note(err.Error())
			continue
		}
		e := verified.Evidence
		if earlier, counted := fileOf[e.ID]; counted {
			return &cli.UsageError{Text: fmt.Sprintf("%s and %s are evidence of the same drill %s", earlier, file, e.ID), Remedy: "name each drill once"}
		}
		fileOf[e.ID] = file
		if c.Month == "" || c.Month == e.Month() {
			drills = append(drills, e)
		}
	}
	list.Summaries = evidence.Summarize(drills)
	if err := a.showSummaries(list); err != nil {
		return err
	}
	if n := len(list.NotVerified); n > 0 {
		return fmt.Errorf("%d of %d files are not verified, and not counted", n, len(c.Files))
	}
	return nil
}

func (a *app) showSummaries(list drillsSummary) error {
	if a.out.Structured() {
		return a.out.Data(list)
	}
	if len(list.Summaries) == 0 {
		a.out.Line("No drills.")
		return nil
	}
	rows := make([][]string, 0, len(list.Summaries))
	for _, s := range list.Summaries {
		row := []string{s.Month, render.Plain(s.VaultID)}
		for _, n := range []int{s.Drills, s.Proven, s.ObjectivesMissed, s.NotValidated, s.Failed, s.CleanUpsFailed, s.Items} {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, append(row, s.LongestRestore))
	}
	a.out.Columns([]render.Column{
		{Heading: "Month"}, {Heading: "Vault", Middle: true, Min: 8}, {Heading: "Drills"}, {Heading: "Proven"}, {Heading: "Missed"},
		{Heading: "Unvalidated"}, {Heading: "Failed"}, {Heading: "Clean-ups failed", Drop: 1}, {Heading: "Items", Drop: 3}, {Heading: "Longest restore", Drop: 2},
	}, rows)
	return nil
}
