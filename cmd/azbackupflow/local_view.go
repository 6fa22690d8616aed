package main

import (
	"fmt"
	"strings"

	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/local/stack"
)

// stackView holds the parts of a running stack that local shows.
type stackView struct {
	url string
	// dashboard is the link to the dashboard; empty without one.
	dashboard string
	endpoints []stack.Endpoint
	// settingsFile is the file for the real host; empty unless it is used.
	settingsFile string
	faults       []localstack.Injection
	flags        *localCommand
}

func (l *localCommand) view(s *stack.Stack, faults []localstack.Injection) stackView {
	v := stackView{endpoints: s.Endpoints(), faults: faults, flags: l}
	if l.NoHost {
		v.settingsFile = s.SettingsPath()
	} else {
		v.url = s.URL()
	}
	return v
}

// showStack shows the addresses of the stack and how to use it.
func (a *app) showStack(v stackView) error {
	if a.out.Structured() {
		all := map[string]string{}
		for _, e := range v.endpoints {
			all[e.Name] = e.Address
		}
		if v.settingsFile != "" {
			all["Settings"] = v.settingsFile
		}
		if v.dashboard != "" {
			all["Dashboard"] = v.dashboard
		}
		return a.out.Data(all)
	}
	a.out.Line("The local stack runs, %g times as fast as Azure. Ctrl-C stops it.\n", v.flags.Speed)
	facts := make([]render.Fact, 0, len(v.endpoints))
	for _, e := range v.endpoints {
		facts = append(facts, render.Fact{Name: e.Name, Value: e.Address})
	}
	for _, topic := range v.flags.Topic {
		facts = append(facts, render.Fact{Name: "Topic", Value: topic + ", subscription " + stack.Subscription})
	}
	if len(v.flags.ReplyQueue) > 0 {
		facts = append(facts, render.Fact{Name: "Reply queues", Value: strings.Join(v.flags.ReplyQueue, ", ")})
	}
	if v.dashboard != "" {
		facts = append(facts, render.Fact{Name: "Dashboard", Value: v.dashboard})
	}
	if v.settingsFile != "" {
		facts = append(facts, render.Fact{Name: "App settings", Value: v.settingsFile})
	}
	for _, f := range v.faults {
		facts = append(facts, render.Fact{Name: "Injected", Value: f.String()})
	}
	a.out.Facts(facts)
	a.out.Line("\nIn another terminal:\n")
	for _, command := range a.suggestions(v) {
		a.out.Line("  %s", command)
	}
	return nil
}

// suggestions returns the commands to try.
func (a *app) suggestions(v stackView) []string {
	if v.settingsFile != "" {
		return []string{fmt.Sprintf("func start --script-root %s", v.flags.Dist), "azbackupflow list"}
	}
	program := "azbackupflow"
	if v.url != a.connection.context.URL {
		program += " --url " + v.url
	}
	return []string{
		program + " start protect-file-share -f examples/protect-file-share.json",
		program + " watch ID",
		program + " list",
	}
}
