package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

type refusedCommand struct {
	Since string `placeholder:"TIME" help:"Refused at or after: 2026-11-21T03:00:00Z, 2026-11-21, or 36h or 7d for so long ago."`
	Limit int    `default:"50" help:"At most so many."`
}

// Run lists refused requests, each with what is wrong with it.
func (r *refusedCommand) Run(ctx context.Context, a *app) error {
	since, err := parseInstant("--since", r.Since, a.now())
	if err != nil {
		return err
	}
	if r.Limit < 1 {
		return &usage{text: "--limit wants at least 1"}
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	all, err := refusedAll(ctx, c, api.RejectedQuery{Since: since}, r.Limit)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(all)
	}
	if len(all.Rejected) == 0 {
		a.say("No refused requests.")
		return nil
	}
	for i, refusal := range all.Rejected {
		if i > 0 {
			a.say("")
		}
		a.facts(aboutRefusal(refusal))
	}
	if all.Continue != "" {
		a.say("\nThere are more: --limit and --since choose.")
	}
	return nil
}

// refusedAll joins pages until there are enough.
func refusedAll(ctx context.Context, c *client.Client, q api.RejectedQuery, limit int) (api.RejectedPage, error) {
	all := api.RejectedPage{Rejected: []api.RejectedRequest{}}
	for {
		q.PageSize = min(limit-len(all.Rejected), api.MaxPageSize)
		page, err := c.ListRejected(ctx, q)
		if err != nil {
			return all, err
		}
		all.Rejected = append(all.Rejected, page.Rejected...)
		all.Continue = page.Continue
		if page.Continue == "" || len(all.Rejected) >= limit {
			return all, nil
		}
		q.Continue = page.Continue
	}
}

func aboutRefusal(r api.RejectedRequest) [][2]string {
	facts := [][2]string{{"Refused", instant(r.At) + " UTC"}, {"Came by", plain(string(r.Source))}}
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, [2]string{name, plain(value)})
		}
	}
	add("Message id", r.MessageID)
	add("Flow", r.Flow)
	add("Key", r.Key)
	if len(r.Fields) == 0 {
		add("Reason", r.Reason)
	}
	for _, f := range r.Fields {
		reason := f.Field + ": " + f.Problem
		if f.Want != "" {
			reason += "; want " + f.Want
		}
		add("Reason", reason)
	}
	return facts
}
