package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

type drillsAnswerCommand struct {
	ID     string `arg:"" complete:"operation" help:"ID of the drill's operation."`
	Result string `required:"" placeholder:"RESULT" enum:"Successful,Failed" help:"Result of the validation: Successful or Failed."`
	Text   string `placeholder:"TEXT" help:"What was found. The evidence repeats it. Do not write names of people or secrets."`
	Target string `placeholder:"ID" help:"Resource ID of what was validated. The answer is refused if the drill waits for another one."`
}

// Help is shown below the command's own help.
func (drillsAnswerCommand) Help() string {
	return `A drill with a validator waits at the step await-answer until its window closes.
azbackupflow describe shows what to validate, and until when.

  azbackupflow drills answer 5f2b7c --result Successful --text "312 tables"`
}

// Run answers the validation.
func (c *drillsAnswerCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	id, err := findID(ctx, client, c.ID)
	if err != nil {
		return err
	}
	op, err := client.AnswerDrill(ctx, id, api.DrillAnswer{Result: c.Result, Text: c.Text, Target: c.Target})
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(op)
	}
	a.out.Line("Drill %s is validated as %s.", render.Plain(op.ID), c.Result)
	return nil
}
