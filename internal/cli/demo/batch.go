package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// batch runs many operations in parallel.
type batch struct {
	printer *render.Printer
	items   []*batchItem

	mu sync.Mutex // protects the results of the items
}

// batchItem is one operation of a batch.
type batchItem struct {
	planItem
	request api.Request

	// hasJob is closed when the job of the operation is known, or when it will
	// never be. ended is closed when the operation has ended, or will not start.
	hasJob, ended chan struct{}

	operation api.Operation
	counter   render.Counter
	failure   error
}

// newBatch reads all requests.
func newBatch(p *render.Printer, folder string, plan []planItem) (*batch, error) {
	b := &batch{printer: p}
	for _, item := range plan {
		r, err := readExample(folder, item.File)
		if err != nil {
			return nil, err
		}
		b.items = append(b.items, &batchItem{planItem: item, request: r, hasJob: make(chan struct{}), ended: make(chan struct{})})
	}
	return b, nil
}

// run runs all operations and prints each result.
func (b *batch) run(ctx context.Context, c *client.Client) {
	spinner := b.printer.NewSpinner()
	defer spinner.Stop()
	spinner.Describe(b.progress)
	var wg sync.WaitGroup
	for _, i := range b.items {
		wg.Go(func() {
			defer close(i.ended)
			op, err := b.runItem(ctx, c, i)
			b.setResult(i, op, err)
			// Print without the lock: the spinner takes it in progress.
			spinner.Around(func() { b.print(i) })
		})
	}
	wg.Wait()
}

// setResult stores the final result of an item.
func (b *batch) setResult(i *batchItem, op api.Operation, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i.operation, i.failure = op, err
	i.releaseJob()
}

// releaseJob releases the items that wait for the item's job.
func (i *batchItem) releaseJob() {
	select {
	case <-i.hasJob:
	default:
		close(i.hasJob)
	}
}

// runItem waits for the items that come first and runs the operation.
func (b *batch) runItem(ctx context.Context, c *client.Client, i *batchItem) (api.Operation, error) {
	r := i.request
	for _, other := range b.items {
		switch {
		case other.File == i.JobOf:
			<-other.hasJob
			var err error
			if r, err = trackJobOf(r, b.result(other)); err != nil {
				return api.Operation{}, err
			}
		case slices.Contains(i.After, other.File):
			<-other.ended
			if op := b.result(other); op.Status != api.Succeeded {
				return api.Operation{}, fmt.Errorf("not started: %s of %s did not succeed", other.request.Flow, other.About)
			}
		}
	}
	started, err := c.Start(ctx, r)
	if err != nil {
		return started.Operation, err
	}
	return c.Wait(ctx, started.ID, func(u client.Update) { b.update(i, u) })
}

func (b *batch) result(i *batchItem) api.Operation {
	b.mu.Lock()
	defer b.mu.Unlock()
	return i.operation
}

// update stores the result of one poll.
func (b *batch) update(i *batchItem, u client.Update) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i.operation = u.Operation
	for _, ev := range u.Events {
		i.counter.Count(ev)
	}
	if i.operation.JobID != "" {
		i.releaseJob()
	}
}

// The columns of the results.
const (
	timeColumn = 10
	flowColumn = 22
	whatColumn = 30
)

// print prints the result of an item.
func (b *batch) print(i *batchItem) {
	p := b.printer
	if p.Structured() {
		return
	}
	title := fmt.Sprintf("%s  %-*s%-*s", p.Faint(p.Now().UTC().Format(time.TimeOnly)), flowColumn, i.request.Flow, whatColumn, i.About)
	if i.operation.ID == "" || !i.operation.Status.Terminal() {
		p.Line("%s%s", title, p.Error("did not end"))
	} else {
		p.Line("%s%s after %s", title, p.Status(i.operation.Status), render.Duration(render.Elapsed(i.operation, p.Now())))
	}
	if problem := i.problem(); problem != "" {
		p.WrappedError(timeColumn, problem)
	}
}

// problem returns why the operation did not succeed, or its warnings.
func (i *batchItem) problem() string {
	switch {
	case i.failure != nil:
		return render.Plain(i.failure.Error())
	case i.operation.Status != api.Succeeded && i.operation.Error != nil:
		return render.Plain(i.operation.Error.Error())
	}
	return render.Plain(strings.Join(i.operation.Warnings, "; "))
}

// progress returns the running steps in one line.
func (b *batch) progress() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ended, running := 0, []string(nil)
	for _, i := range b.items {
		switch {
		case i.failure != nil || i.operation.Status.Terminal():
			ended++
		case i.operation.ID != "":
			running = append(running, i.operation.Step)
		}
	}
	text := fmt.Sprintf("%d of %d have ended; running: ", ended, len(b.items))
	for n, step := range running {
		if more := fmt.Sprintf(" and %d more", len(running)-n); len(text)+len(step)+len(more) > b.printer.Width()-10 {
			return strings.TrimSuffix(text, ", ") + more
		}
		text += step + ", "
	}
	return render.Plain(strings.TrimSuffix(text, ", "))
}

// err returns the error of the first item that did not succeed.
func (b *batch) err() error {
	for _, i := range b.items {
		switch {
		case i.operation.Status.Terminal() && i.operation.Status != api.Succeeded:
			return &cli.OperationError{Operation: i.operation}
		case i.failure != nil:
			return i.failure
		case i.operation.Status != api.Succeeded:
			return errors.New(i.request.Flow + " of " + i.About + " did not end")
		}
	}
	return nil
}
