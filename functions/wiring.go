package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/connection"
	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/notify"
	"azbackupflow/internal/preflight"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
	"azbackupflow/internal/telemetry"
)

// world is what the program takes from outside: here, and nowhere else, are the
// clock and chance.
type world struct {
	environment map[string]string
	now         func() time.Time
	jitter      func() float64
	newID       func() string
	sleep       func(context.Context, time.Duration) error
	version     string
	output      io.Writer
}

// newServer puts the app together. It calls nobody: clients connect at their
// first use.
func newServer(ctx context.Context, w world) (*customhandler.Server, *telemetry.Telemetry, error) {
	s, err := settings.Read(w.environment)
	if err != nil {
		return nil, nil, err
	}
	log := newLogger(w, s.LogLevel)
	lookup := func(name string) (string, bool) { v, ok := w.environment[name]; return v, ok }

	observer, err := telemetry.New(ctx, telemetry.Config{Lookup: lookup, Version: w.version, Log: log, MessageTrace: handlers.CarriedTrace})
	if err != nil {
		return nil, nil, err
	}
	tableOptions := state.ClientOptions()
	tableOptions.PerCallPolicies = append(tableOptions.PerCallPolicies, observer.TablePolicy())
	tables, err := connection.Tables(lookup, settings.TablesConnection, tableOptions)
	if err != nil {
		return nil, nil, err
	}
	store, err := state.New(state.Config{Service: tables, TablePrefix: s.TablePrefix})
	if err != nil {
		return nil, nil, err
	}
	bus, err := connection.ServiceBus(lookup, settings.ServiceBusConnection, queue.ClientOptions())
	if err != nil {
		return nil, nil, err
	}
	ledger := ratelimit.New(ratelimit.Config{
		Clock: w.now, Identity: s.ClientID, Assume: ratelimit.Assume(s.Speed), Shelf: state.SharedRows{Store: store, Kind: "budget"}, Log: log,
	})
	client, err := newARM(s, w.now, observer.StartARMCall, ledger)
	if err != nil {
		return nil, nil, err
	}
	jobs, err := jobcache.New(jobcache.Config{
		Store: state.SharedRows{Store: store, Kind: "jobs"}, Now: w.now, NewID: w.newID, Waits: s.Waits(), SpeedFactor: s.Speed,
		MinGap: flow.JobPace(ledger), Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	flows, err := flow.New(flow.Config{
		ARM: client, Now: w.now, ClockSkew: time.Duration(float64(flow.DefaultClockSkew) / s.Speed),
		Guardrails: flow.Guardrails{Delete: s.AllowDelete, RestoreTargets: s.RestoreTargets},
		Jobs:       jobs,
		Exclude: func(ctx context.Context, resourceID, operationID string, at time.Time) error {
			return store.SaveExclusion(ctx, decision.Exclusion{ResourceID: resourceID, OperationID: operationID, At: at})
		},
		Include: store.DeleteExclusion,
	})
	if err != nil {
		return nil, nil, err
	}
	keep, err := s.Keep()
	if err != nil {
		return nil, nil, err
	}
	publisher, err := queue.NewPublisher(queue.PublisherConfig{Client: bus, Observe: observer.StartSend})
	if err != nil {
		return nil, nil, err
	}
	notifier, err := notify.New(notify.Config{Destination: s.Notices, ReplyQueues: s.ReplyQueues, Tenant: s.Tenant, Send: publisher.Send, Log: log})
	if err != nil {
		return nil, nil, err
	}
	steps, err := queue.New(queue.Config{Client: bus, Name: settings.StepsQueue, Now: w.now, Observe: observer.StartSend})
	if err != nil {
		return nil, nil, err
	}
	e, err := engine.New(engine.Config{
		Store: observer.WrapStore(store), Queue: steps, Flows: flows,
		Waits: s.Waits(), Tenant: s.Tenant,
		Now: w.now, Jitter: w.jitter, NewID: w.newID, Sleep: w.sleep,
		Record: arm.Record, Budget: ratelimit.ForStep, DryRun: arm.Rehearse, StartTrace: observer.StartOperation, Locks: store, StartsPerItem: s.StartsPerItem, Notifier: notifier, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}

	requests := handlers.Requests{
		Engine: e, Load: store.Load, Later: publisher.Schedule, Now: w.now, NewID: w.newID, Waits: s.Waits(),
		Refuse: handlers.Refuser{Record: store.SaveRejected, Publish: publisher.Publish, Replies: notifier, Now: w.now, Log: log},
	}
	declared, incomplete := readSchedules(s.Schedules, e, log)
	schedules, err := schedule.NewRunner(schedule.RunnerConfig{
		Schedules: declared, Incomplete: incomplete, Store: store, Engine: e,
		Items: schedule.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client)},
		Reject: func(ctx context.Context, key string, body []byte, reason error) error {
			return requests.Refuse.Refuse(ctx, handlers.Refused{Source: schedule.FileName, MessageID: key, Body: body, Err: reason})
		},
		Tenant: s.Tenant, Now: w.now, SpeedFactor: s.Speed, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	rules, rulesErr := readRules(s.Protection, e, log)
	evaluator, err := autoprotect.New(autoprotect.Config{
		Rules: rules, RulesErr: rulesErr, Datasources: datasource.New(client),
		Vaults:  autoprotect.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client)},
		Records: store, Engine: e, Tenant: s.Tenant, Now: w.now, Sleep: w.sleep, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	server := customhandler.NewServer(log, w.now)
	server.Around = observer.StartInvocation
	server.Handle("start-operation", requests.Start)
	server.Handle("run-step", handlers.RunStep(observer.WrapStepRunner(e)))
	server.Handle("dead-letter-steps", handlers.DeadLetterSteps(e, requests.Refuse))
	server.Handle("dead-letter-requests", requests.DeadLettered)
	server.Handle("schedule-backups", handlers.ScheduleBackups(schedules))
	server.Handle("protect-new-resource", handlers.ProtectNewResource(evaluator, requests.Refuse))
	server.Handle("sweep-resources", handlers.SweepResources(evaluator))
	ready := preflight.New(preflight.Config{
		ARM: client, Vaults: s.Vaults, ServiceBusID: s.ServiceBusID, AllowDelete: s.AllowDelete, RestoreTargets: s.RestoreTargets,
		Queues: []string{settings.RequestsQueue, settings.StepsQueue, settings.RejectedQueue},
		Tables: store.Ping,
		Bus: func(ctx context.Context, name string) error {
			ctx, done := observer.StartPing(ctx, name)
			err := queue.Ping(ctx, bus, name, name != settings.RejectedQueue)
			done(err)
			return err
		},
		Settings: func() error { return telemetry.Check(lookup) },
	})
	server.Handle("sweep", handlers.Sweep(observer.WrapSweeper(e), handlers.Housekeeping{Expire: store.Expire, Keep: keep, Now: w.now, Log: log}))
	repair := handlers.Repair{
		Letters: store, Sweeper: observer.WrapSweeper(e), Check: e.Prepare, Publish: publisher.Publish, Now: w.now, NewID: w.newID,
		Flows: flows, Roles: s.APIRoles,
	}
	server.HandleHTTP("api", repair.Routes(handlers.API(handlers.APIConfig{
		Control: e, Read: store, Flows: flows, Publish: publisher.Publish, Now: w.now, NewID: w.newID, Roles: s.APIRoles,
		Preflight: ready,
	})))
	log.Info("azbackupflow is ready", "version", w.version, "flows", flows.Names())
	return server, observer, nil
}

// newARM makes the client of Azure Resource Manager. It calls Azure as the
// app's managed identity; there is no other way in, and no secret.
func newARM(
	s settings.Settings, now func() time.Time,
	observe func(context.Context, string, string) (context.Context, func(int, error)), ledger *ratelimit.Ledger,
) (*arm.Client, error) {
	options := &azidentity.ManagedIdentityCredentialOptions{}
	if s.ClientID != "" {
		options.ID = azidentity.ClientID(s.ClientID)
	}
	credential, err := azidentity.NewManagedIdentityCredential(options)
	if err != nil {
		return nil, fmt.Errorf("managed identity: %w", err)
	}
	return arm.New(arm.Config{
		Cloud: s.Cloud, Endpoint: s.ARMEndpoint, Audience: s.ARMAudience, TrustedHosts: s.ARMTrustedHosts,
		Credential: credential, Clock: now, Observe: observe, Budget: ledger,
	})
}
