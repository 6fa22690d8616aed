package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/pkg/browser"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
	"azbackupflow/internal/dashboard"
	"azbackupflow/internal/flow"
)

type dashboardCommand struct {
	Port      int  `default:"0" help:"Port on this machine; 0 selects a free port."`
	NoBrowser bool `name:"no-browser" help:"Only print the address, open no browser."`
}

// Help is shown below the command's own help.
func (dashboardCommand) Help() string {
	return `The pages call the app with your sign-in, so they show and change what you may. They
are served to this machine only, and only to browsers that open the printed link.`
}

// Run serves the dashboard until it is interrupted.
func (c *dashboardCommand) Run(ctx context.Context, a *app) error {
	backend, err := a.client()
	if err != nil {
		return err
	}
	if _, err := backend.Version(ctx); err != nil {
		return err
	}
	name := a.connection.name
	if name == "" {
		name = backend.URL()
	}
	page, err := a.serveDashboard(ctx, backend, name, c.Port)
	if err != nil {
		return err
	}
	defer page.stop()
	if a.out.Structured() {
		if err := a.out.Data(map[string]string{"Dashboard": page.link}); err != nil {
			return err
		}
	} else {
		a.out.Facts([]render.Fact{{Name: "Dashboard", Value: page.link}})
		a.out.Note("Ctrl-C stops it.")
	}
	if !c.NoBrowser && a.openBrowser != nil {
		if err := a.openBrowser(page.link); err != nil {
			a.out.Note("No browser could be started; open the link yourself.")
		}
	}
	return page.wait(ctx)
}

// openBrowser opens a link in the person's browser.
func openBrowser(link string) error {
	browser.Stdout, browser.Stderr = nil, nil // the output of programs is not ours
	if err := browser.OpenURL(link); err != nil {
		return fmt.Errorf("open a browser: %w", err)
	}
	return nil
}

// dashboardServer serves a dashboard on this machine.
type dashboardServer struct {
	link   string
	server *http.Server
	ended  chan error
}

// serveDashboard serves the dashboard of an app on a port of this machine.
func (a *app) serveDashboard(ctx context.Context, backend *client.Client, name string, port int) (*dashboardServer, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, &cli.UsageError{Text: fmt.Sprintf("port %d of this machine is in use", port), Remedy: "choose another one, or 0 for a free one"}
	}
	definitions, err := flow.Definitions(flow.Config{Now: a.now})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	flows, err := dashboard.Flows(definitions)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	address, session := listener.Addr().String(), uuid.NewString()
	pages, err := dashboard.New(dashboard.Config{
		API: func(*http.Request) dashboard.API { return backend }, Flows: flows, Name: name,
		Session: session, Hosts: []string{address}, NewID: uuid.NewString, Now: a.now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s := &dashboardServer{
		link: "http://" + address + "/?session=" + session, ended: make(chan error, 1),
		server: &http.Server{Handler: pages, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }},
	}
	go func() { s.ended <- s.server.Serve(listener) }()
	return s, nil
}

// wait returns when ctx ends, or with the error of the server.
func (s *dashboardServer) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.ended:
		return fmt.Errorf("serve the dashboard: %w", err)
	}
}

// stop ends the server and the requests that it serves.
func (s *dashboardServer) stop() { _ = s.server.Close() }
