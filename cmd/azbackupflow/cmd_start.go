package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"syscall"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/step"
)

// asking is how a command is told a request.
type asking struct {
	Flow     string            `arg:"" help:"The flow; azbackupflow flows lists them."`
	File     string            `short:"f" required:"" placeholder:"FILE" help:"The request as JSON, - for standard input: {key, parameters, deadline, labels}."`
	Key      string            `help:"The request's key: the same flow and key is the same operation, however often it is asked for."`
	Label    map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"A label to find the operation by; may be given several times."`
	Deadline string            `placeholder:"PT6H" help:"How long it may take, as an ISO 8601 duration."`
}

type startCommand struct {
	asking
	DryRun bool `help:"Check the request and show its steps, but start nothing and ask Azure nothing; azbackupflow validate asks."`
	Wait   bool `help:"Wait until it has ended, as the command wait does."`
}

// Help is shown below the command's own help.
func (startCommand) Help() string {
	return `Flags win over what the file says. Without a key, one is made up, so that each
start is an operation of its own.`
}

// Run asks for the operation.
func (s *startCommand) Run(ctx context.Context, a *app) error {
	r, err := s.request(a.stdin)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	if s.DryRun || r.DryRun {
		return a.dryRun(ctx, c, r)
	}
	if r.Key == "" {
		r.Key = a.newKey()
	}
	v, err := c.Start(ctx, r)
	if client.IsUnavailable(err) && !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w (it may have been started; ask again with --key %s to be sure)", err, r.Key)
	}
	if err != nil {
		return err
	}
	if !s.Wait {
		if a.json() {
			return a.printJSON(v)
		}
		before := ""
		if v.Seq > 1 {
			before = ", asked for before under this key"
		}
		a.say("Operation %s (%s) is %s%s.", a.paint.bold(v.ID), v.Flow, a.paint.status(v.Status), before)
		a.say("Follow it:  azbackupflow watch %s", v.ID)
		return nil
	}
	if !a.json() {
		a.say("Operation %s (%s)", a.paint.bold(v.ID), v.Flow)
	}
	return a.await(ctx, c, v.ID, 0)
}

// request reads the file and lets the flags win.
func (s *asking) request(stdin io.Reader) (api.Request, error) {
	raw, err := readFile(s.File, stdin)
	if err != nil {
		return api.Request{}, &usage{text: err.Error()}
	}
	r, err := decodeRequest(raw, s.File)
	if err != nil {
		return r, err
	}
	if r.Flow != "" && r.Flow != s.Flow {
		return r, &usage{text: fmt.Sprintf("%s asks for flow %s, the command line for %s", s.File, r.Flow, s.Flow), advice: "make them the same"}
	}
	r.Flow = s.Flow
	if s.Key != "" {
		r.Key = s.Key
	}
	if s.Deadline != "" {
		r.Deadline = s.Deadline
	}
	if len(s.Label) > 0 {
		labels := maps.Clone(s.Label)
		for name, value := range r.Labels {
			if _, ok := labels[name]; !ok {
				labels[name] = value
			}
		}
		r.Labels = labels
	}
	return r, nil
}

// byteOrderMark is what some editors begin a file with.
const byteOrderMark = "\xef\xbb\xbf"

// decodeRequest reads the one shape of a request; whether its values are right
// is for the API to say.
func decodeRequest(raw []byte, file string) (api.Request, error) {
	var r api.Request
	raw = bytes.TrimPrefix(raw, []byte(byteOrderMark))
	var invalid *step.Invalid
	err := step.Decode(raw, &r, "")
	switch {
	case errors.As(err, &invalid):
		return r, &usage{text: file + ": " + invalid.Error()}
	case err != nil:
		return r, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

func readFile(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		raw, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return raw, nil
	}
	return os.ReadFile(name)
}

// dryRun shows what a request would do.
func (a *app) dryRun(ctx context.Context, c *client.Client, r api.Request) error {
	plan, err := c.DryRun(ctx, r)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(plan)
	}
	a.say("The request is valid. %s version %d would do:", plan.Flow, plan.Version)
	for i, name := range plan.Steps {
		a.say("%4d  %s", i+1, name)
	}
	return nil
}
