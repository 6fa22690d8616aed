// Command restate runs the benchmark's operations with Restate: a server, which
// stores the operations, and this process, which runs their steps.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	restate "github.com/restatedev/sdk-go"
	"github.com/restatedev/sdk-go/ingress"
	sdkserver "github.com/restatedev/sdk-go/server"

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
)

func main() {
	harness.Main(map[string]harness.Open{"restate": open(defaults), "restate-tuned": open(tuned)})
}

const (
	service = "operations"
	handler = "wait"
)

// invocations runs Restate. An operation is an invocation of a handler that makes its
// calls in durable steps and sleeps in durable timers between them.
type invocations struct {
	server *server
	steps  *http.Server
	start  ingress.SendRequester[string]
}

// open starts a server with a configuration, and registers this process with it.
func open(configuration string) harness.Open {
	return func(ctx context.Context, w harness.Env) (harness.Runner, error) {
		c, err := harness.NewCalls(w)
		if err != nil {
			return nil, err
		}
		steps, address, err := serve(ctx, w, c)
		if err != nil {
			return nil, err
		}
		s, err := startServer(ctx, w.Job.Dir, configuration)
		if err != nil {
			return nil, errors.Join(err, steps.Close())
		}
		i := &invocations{server: s, steps: steps}
		if err := s.register(ctx, address); err != nil {
			return nil, errors.Join(err, i.Close(ctx))
		}
		i.start = ingress.ServiceSend[string](ingress.NewClient("http://restate", ingress.WithHttpClient(s.client("ingress.sock"))), service, handler)
		return i, nil
	}
}

// serve serves the steps to the server, and returns the address.
func serve(ctx context.Context, w harness.Env, c harness.Calls) (*http.Server, string, error) {
	endpoint := sdkserver.NewRestate().WithLogger(slog.DiscardHandler, true).
		Bind(restate.NewService(service).Handler(handler, restate.NewServiceHandler(wait(w, c))))
	handle, err := endpoint.Handler()
	if err != nil {
		return nil, "", err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	steps := &http.Server{Handler: handle, Protocols: &protocols, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = steps.Serve(listener) }()
	return steps, "http://" + listener.Addr().String(), nil
}

// wait returns the handler of an operation.
func wait(w harness.Env, c harness.Calls) restate.ServiceHandlerFn[string, restate.Void] {
	return func(ctx restate.Context, id string) (restate.Void, error) {
		last, err := restate.Run(ctx, func(ctx restate.RunContext) (harness.Answer, error) { return c.Start(ctx, id) })
		if err != nil {
			return restate.Void{}, err
		}
		for url := last.StatusURL; !last.Done; {
			if err := restate.Sleep(ctx, max(last.After, time.Millisecond)); err != nil {
				return restate.Void{}, err
			}
			last, err = restate.Run(ctx, func(ctx restate.RunContext) (harness.Answer, error) { return c.Poll(ctx, url) })
			if err != nil {
				return restate.Void{}, err
			}
		}
		w.Ended(id)
		return restate.Void{}, nil
	}
}

// Start implements harness.Runner.
func (i *invocations) Start(ctx context.Context, id string) error {
	if _, err := i.start.Send(ctx, id, restate.WithIdempotencyKey(id)); err != nil {
		return fmt.Errorf("start an invocation: %w", err)
	}
	return nil
}

// ServerPID implements harness.Server.
func (i *invocations) ServerPID() int { return i.server.command.Process.Pid }

// Cost implements harness.Runner.
func (i *invocations) Cost() *work.Cost { return nil }

// Close implements harness.Runner.
func (i *invocations) Close(context.Context) error {
	return errors.Join(i.server.stop(), i.steps.Close())
}
