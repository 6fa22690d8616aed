package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// changeFlags are the flags of commands that change operations.
type changeFlags struct {
	operationSet
	Reason string `placeholder:"TEXT" help:"Why; it is recorded in the history. Do not write names of people or secrets."`
	Yes    bool   `short:"y" help:"With a filter: do not ask for a confirmation."`
}

// change is a command that changes operations.
type change struct {
	// verb and done name the change, such as cancel and "cancel requested".
	verb, done string
	// stops reports that the command keeps operations from going on.
	stops bool
	call  func(c *client.Client, ctx context.Context, id, reason string) (api.Operation, error)
	// statuses are those that the command can change.
	statuses []api.Status
	// applies reports whether an operation with one of the statuses can be changed;
	// nil means all.
	applies func(api.Operation) bool
	// took reports whether an operation is as the command leaves it, after a response
	// was lost.
	took func(api.Operation) bool
}

// tooLate reports whether an operation had ended before it could be canceled. That is
// not an error.
func (ch change) tooLate(op api.Operation) bool {
	return ch.done == cancelDone && op.Status.Terminal() && op.Status != api.Canceled
}

// change changes one operation and shows it, or several.
func (a *app) change(ctx context.Context, f changeFlags, ch change) error {
	filtered, err := f.byFilter()
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	if filtered {
		return a.changeFiltered(ctx, c, f, ch)
	}
	ids, err := f.ids(ctx, c, "an ID, --last, or a filter such as --label team=files")
	if err != nil {
		return err
	}
	if len(ids) > 1 {
		return a.changeAll(ctx, c, ids, f.Reason, ch)
	}
	op, err := a.changeOne(ctx, c, ids[0], f.Reason, ch)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(op)
	}
	if ch.tooLate(op) {
		a.out.Line("Operation %s had ended as %s; nothing was canceled.", op.ID, a.out.Status(op.Status))
		return nil
	}
	a.out.Line("Operation %s is %s%s.", op.ID, a.out.Status(op.Status), render.Flags(op))
	return nil
}

// changeFiltered changes the operations that match the filter, after a
// confirmation.
func (a *app) changeFiltered(ctx context.Context, c *client.Client, f changeFlags, ch change) error {
	found, _, err := f.find(ctx, a, c, ch.statuses...)
	if err != nil {
		return err
	}
	var ids []string
	flows := map[string]int{}
	for _, op := range found {
		if slices.Contains(ch.statuses, op.Status) && (ch.applies == nil || ch.applies(op)) {
			ids = append(ids, op.ID)
			flows[op.Flow]++
		}
	}
	if len(ids) == 0 {
		var shown error
		if a.out.Structured() {
			shown = a.out.Data(changed{Operations: []api.Operation{}, Failed: []notChanged{}})
		} else {
			a.out.Line("No operation that matches can be changed.")
		}
		return errors.Join(shown, targetsLeft(ctx, c, f.Bulk, ch))
	}
	if !f.Yes {
		if err := a.confirm(ctx, fmt.Sprintf("%s %s?", strings.ToUpper(ch.verb[:1])+ch.verb[1:], counted(flows))); err != nil {
			return err
		}
	}
	return errors.Join(a.changeAll(ctx, c, ids, f.Reason, ch), targetsLeft(ctx, c, f.Bulk, ch))
}

// targetsLeft returns an error if a change that stops a bulk did not reach all of its
// targets: those in the queue have no operations yet.
func targetsLeft(ctx context.Context, c *client.Client, bulk string, ch change) error {
	if bulk == "" || !ch.stops {
		return nil
	}
	s, err := c.BulkStatus(ctx, bulk)
	switch {
	case err != nil:
		return err
	case s.Waiting > 0:
		return fmt.Errorf("%d targets of bulk %s have not started yet, and will start: repeat the command when azbackupflow bulk status %s shows none", s.Waiting, bulk, bulk)
	}
	return nil
}

// counted returns the number of operations by flow.
func counted(flows map[string]int) string {
	total := 0
	var parts []string
	for _, name := range sortedNames(flows) {
		total += flows[name]
		parts = append(parts, fmt.Sprintf("%d %s", flows[name], render.Plain(name)))
	}
	if total == 1 {
		return "1 operation (" + strings.Join(parts, ", ") + ")"
	}
	return fmt.Sprintf("%d operations (%s)", total, strings.Join(parts, ", "))
}

// confirm asks the user. Without a terminal it returns an error.
func (a *app) confirm(ctx context.Context, question string) error {
	if !a.stdinTerminal {
		return &cli.UsageError{Text: question + " The command needs a confirmation, and standard input is not a terminal", Remedy: "add --yes"}
	}
	_, _ = fmt.Fprintf(a.stderr, "%s Type yes to continue: ", question) // a closed terminal cannot be reported anywhere
	answers := make(chan string, 1)
	go func() {
		answer, _ := bufio.NewReader(a.stdin).ReadString('\n') // the end of the input is a no
		answers <- answer
	}()
	var answer string
	select {
	case <-ctx.Done(): // Ctrl-C; the read cannot be interrupted
		return ctx.Err()
	case answer = <-answers:
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "yes" && a != "y" {
		return &cli.UsageError{Text: "nothing was changed", Remedy: "answer yes, or add --yes"}
	}
	return nil
}

// changed is the output for several operations.
type changed struct {
	Operations []api.Operation `json:"operations"`
	Failed     []notChanged    `json:"failed"`
}

// notChanged is an operation that could not be changed.
type notChanged struct {
	ID      string `json:"id"`
	Problem string `json:"problem"`
	err     error
}

// changesAtOnce bounds the calls at the same time.
const changesAtOnce = 8

// changeAll changes operations at the same time. It continues after an error, which
// may be about one operation only, unless the API is unavailable.
func (a *app) changeAll(ctx context.Context, c *client.Client, ids []string, reason string, ch change) error {
	var mu sync.Mutex
	result := changed{Operations: []api.Operation{}, Failed: []notChanged{}}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(changesAtOnce)
	for _, id := range ids {
		group.Go(func() error {
			op, err := a.changeOne(groupCtx, c, id, reason, ch)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				result.Operations = append(result.Operations, op)
				return nil
			}
			if groupCtx.Err() != nil {
				return err
			}
			result.Failed = append(result.Failed, notChanged{ID: id, Problem: err.Error(), err: err})
			if client.IsUnavailable(err) {
				return err
			}
			return nil
		})
	}
	failed := group.Wait()
	ended := 0
	for _, op := range result.Operations {
		if ch.tooLate(op) {
			ended++
		}
	}
	if a.out.Structured() {
		failed = errors.Join(failed, a.out.Data(result))
	} else {
		a.out.Line("%s: %d of %d.", strings.ToUpper(ch.done[:1])+ch.done[1:], len(result.Operations)-ended, len(ids))
		if ended > 0 {
			a.out.Line("Had ended before: %d.", ended)
		}
		for _, f := range result.Failed {
			a.out.Line("%s: %s", f.ID, render.Plain(f.Problem))
		}
	}
	if failed == nil && len(result.Failed) > 0 {
		failed = fmt.Errorf("%d of %d operations were not changed; the first: %w", len(result.Failed), len(ids), result.Failed[0].err)
	}
	return failed
}

// attempts bounds the calls for one change. Their pause grows from firstPause.
const (
	attempts   = 4
	firstPause = time.Second
)

// changeOne changes one operation. While the API is unavailable it tries again: the
// change may have been made, which the operation then shows.
func (a *app) changeOne(ctx context.Context, c *client.Client, id, reason string, ch change) (api.Operation, error) {
	var op api.Operation
	var err error
	for try := range attempts {
		lost := client.IsUnavailable(err)
		if op, err = ch.call(c, ctx, id, reason); err == nil {
			return op, ch.check(op)
		}
		if lost && ch.took != nil && !client.IsUnavailable(err) {
			if now, failed := c.Get(ctx, id); failed == nil && ch.took(now) {
				return now, nil
			}
		}
		if !client.IsUnavailable(err) || try == attempts-1 {
			break
		}
		if a.sleep(ctx, firstPause<<try) != nil {
			break
		}
	}
	return op, err
}

// check returns an error if the operation had ended, so that the change had no
// effect.
func (ch change) check(op api.Operation) error {
	if ch.applies == nil || !op.Status.Terminal() {
		return nil
	}
	return &cli.UsageError{
		Text:   fmt.Sprintf("operation %s has ended as %s, so there is nothing to %s", op.ID, op.Status, ch.verb),
		Remedy: "azbackupflow list --status Pending,Running shows the operations that have not ended",
	}
}
