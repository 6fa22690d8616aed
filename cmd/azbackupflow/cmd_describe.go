package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
)

type describeCommand struct {
	oneOperation
}

// Help is shown below the command's own help.
func (describeCommand) Help() string {
	return `It joins status and history, and adds what you can do now and a link to the vault in
the Azure portal. With -o json, these are the fields operation, history, whatToDo
and portal.`
}

// description is the JSON output for one operation.
type operationDescription struct {
	Operation api.Operation `json:"operation"`
	History   []api.Event   `json:"history"`
	WhatToDo  []string      `json:"whatToDo"`
	// Portal is the address of the vault in the Azure portal.
	Portal string `json:"portal,omitempty"`
}

// Run shows the operation.
func (d *describeCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	id, err := d.find(ctx, c)
	if err != nil {
		return err
	}
	op, err := c.Get(ctx, id)
	if err != nil {
		return err
	}
	history, err := c.History(ctx, op.ID)
	if err != nil {
		return err
	}
	x := operationDescription{Operation: op, History: history.Events, WhatToDo: cli.WhatToDo(op, a.now()), Portal: render.PortalAddress(op)}
	if a.out.Structured() {
		return a.out.Data(x)
	}
	a.showDescription(x)
	return nil
}

func (a *app) showDescription(x operationDescription) {
	op := x.Operation
	if op.Error != nil { // its own section says what to do
		bare := *op.Error
		bare.RecommendedAction = nil
		op.Error = &bare
	}
	a.out.Facts(append(a.out.OperationFacts(op), a.out.PortalFacts(op)...))
	a.section("What to do now")
	for _, line := range x.WhatToDo {
		a.out.Line("  %s", render.Plain(line))
	}
	if parameters := render.JSONFacts(x.Operation.Parameters); len(parameters) > 0 {
		a.section("Parameters")
		a.out.Facts(parameters)
	}
	if learned := render.TextFacts(x.Operation.Learned); len(learned) > 0 {
		a.section("Learned from Azure")
		a.out.Facts(learned)
	}
	a.section("History")
	a.showTimeline(x.History)
}

func (a *app) section(title string) { a.out.Line("\n%s\n", a.out.Bold(title)) }
