package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/drill/evidence"
)

type drillsEvidenceCommand struct {
	Drill  string `placeholder:"NAME" help:"Only drills with this name."`
	Vault  string `placeholder:"ID" complete:"vault-id" help:"Only drills of items of this vault (resource ID)."`
	Item   string `placeholder:"ID" help:"Only drills of this item (resource ID)."`
	Result string `placeholder:"RESULT" help:"Only drills with this result: Proven, ObjectivesMissed, NotValidated or Failed."`
	Since  string `placeholder:"TIME" help:"Only drills that started at or after this time (RFC 3339, a date, or an age such as 36h or 7d)."`
	Until  string `placeholder:"TIME" help:"Only drills that started before this time."`
	limitFlag
}

// Help is shown below the command's own help.
func (drillsEvidenceCommand) Help() string {
	return `The list comes from descriptions that are not signed. The documents are the proof:

  azbackupflow drills download ID --key drill-key.pem`
}

// Run lists the evidence.
func (e *drillsEvidenceCommand) Run(ctx context.Context, a *app) error {
	q := api.EvidenceQuery{Drill: e.Drill, Vault: e.Vault, Item: e.Item, Result: e.Result}
	if e.Result != "" {
		i := slices.IndexFunc(api.DrillResultNames(), func(r string) bool { return strings.EqualFold(r, e.Result) })
		if i < 0 {
			return &cli.UsageError{Text: fmt.Sprintf("--result %q is not a result", e.Result), Remedy: "use one of " + strings.Join(api.DrillResultNames(), ", ")}
		}
		q.Result = api.DrillResultNames()[i]
	}
	var err error
	if q.Since, err = cli.ParseTime("--since", e.Since, a.now()); err != nil {
		return err
	}
	if q.Until, err = cli.ParseTime("--until", e.Until, a.now()); err != nil {
		return err
	}
	if err := e.check(); err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	found, next, err := collect(ctx, e.Limit, func(ctx context.Context, size int, next string) ([]api.Evidence, string, error) {
		q.PageSize, q.Continue = size, next
		page, err := c.ListEvidence(ctx, q)
		return page.Evidence, page.Continue, err
	})
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(api.EvidencePage{Evidence: found, Continue: next})
	}
	if len(found) == 0 {
		a.out.Line("No evidence.")
		return nil
	}
	a.showEvidenceList(found)
	if next != "" {
		a.out.Line("\nThere are more results; use --limit or --since.")
	}
	return nil
}

func (a *app) showEvidenceList(found []api.Evidence) {
	rows := make([][]string, 0, len(found))
	for _, f := range found {
		result := f.Result
		if f.CleanUpFailed {
			result += ", not cleaned up"
		}
		rows = append(rows, []string{
			f.ID, render.Time(f.Started), render.Plain(f.Drill), render.Plain(f.ItemName), render.Plain(result), f.RestoreTime, f.PointAge, render.Plain(f.ItemType),
		})
	}
	a.out.Columns([]render.Column{
		{Heading: "ID", Min: 26}, {Heading: "Started UTC", Drop: 5}, {Heading: "Drill", Drop: 4}, {Heading: "Item", Middle: true, Min: 8}, {Heading: "Result"},
		{Heading: "Restore time", Drop: 3}, {Heading: "Point age", Drop: 2}, {Heading: "Type", Middle: true, Min: 8, Drop: 1},
	}, rows)
}

type drillsDownloadCommand struct {
	ID  string   `arg:"" help:"ID of the drill, as drills evidence shows it."`
	To  string   `placeholder:"FILE" complete:"file" help:"File to write; ID.json by default. It must not exist."`
	Key []string `placeholder:"FILE" complete:"file" help:"PEM file with a public key that you trust: only a file that it verifies is written. May be repeated."`
}

// Run writes the signed file of a drill.
func (d *drillsDownloadCommand) Run(ctx context.Context, a *app) error {
	var keys []evidence.PublicKey
	if len(d.Key) > 0 {
		var err error
		if keys, err = (trustedKeys{Key: d.Key}).read(a); err != nil {
			return err
		}
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	file, err := c.Evidence(ctx, d.ID)
	if err != nil {
		return err
	}
	verified := len(keys) > 0
	if verified {
		_, err := evidence.Verify(d.ID, file, keys)
		var rejected *evidence.NotVerifiedError
		if errors.As(err, &rejected) {
			return fmt.Errorf("the evidence of drill %s is not verified, and not written: %w", d.ID, err)
		}
		if err != nil {
			return err
		}
	}
	name := d.To
	if name == "" {
		name = d.ID + ".json"
	}
	if err := writeNew("--to", name, file); err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(map[string]any{"id": d.ID, "file": name, "verified": verified})
	}
	if verified {
		a.out.Line("The evidence of drill %s is verified, and written to %s.", render.Plain(d.ID), render.Plain(name))
		return nil
	}
	a.out.Line("The evidence of drill %s is written to %s. It is not verified:  azbackupflow drills verify %[2]s --key FILE", render.Plain(d.ID), render.Plain(name))
	return nil
}

type drillsKeyCommand struct {
	To string `placeholder:"FILE" complete:"file" help:"PEM file to write, instead of standard output. It must not exist."`
}

// Help is shown below the command's own help.
func (drillsKeyCommand) Help() string {
	return `Someone who can change the app can change the key. Compare its ID with the one that
the owner of the key names, before you trust it.`
}

// Run writes the public key.
func (k *drillsKeyCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	key, err := c.EvidenceKey(ctx)
	if err != nil {
		return err
	}
	if k.To != "" {
		if err := writeNew("--to", k.To, []byte(key.PublicKey)); err != nil {
			return err
		}
	}
	switch {
	case a.out.Structured():
		return a.out.Data(key)
	case k.To != "":
		a.out.Line("Key %s is written to %s.", render.Plain(key.ID), render.Plain(k.To))
	default:
		a.out.Line("%s", strings.TrimRight(key.PublicKey, "\n"))
	}
	return nil
}
