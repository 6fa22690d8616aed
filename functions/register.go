package main

import (
	"context"
	"net/http"
	"time"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/handlers/httpapi"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/preflight"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
	"azbackupflow/internal/telemetry"
)

// parts holds everything that the functions call.
type parts struct {
	engine    *engine.Engine
	intake    *intake.Intake
	rejecter  *intake.Rejecter
	collector *intake.Collector
	bulks     *intake.Bulks
	api       *httpapi.API
	schedules *schedule.Runner
	drills    *schedule.Runner
	// declaredDrills holds the drills of the file, and those that were skipped.
	declaredDrills declaredDrills
	protect        *autoprotect.Evaluator
	retention      handlers.Retention
	telemetry      *telemetry.Telemetry
}

// functions maps each function that receives an invocation envelope to its
// handler. Its names, apiFunction and dashboardFunction are the folders with a function.json.
func functions(p *parts) map[string]customhandler.Handler {
	return map[string]customhandler.Handler{
		"start-operation":      handlers.StartOperation(p.intake),
		"collect-dead-letters": handlers.CollectDeadLetters(p.collector),
		"run-step":             handlers.RunStep(p.telemetry.WrapStepRunner(p.engine), p.rejecter),
		"schedule-backups":     handlers.ScheduleBackups(schedule.Runners{p.schedules, p.drills}),
		"protect-new-resource": handlers.ProtectNewResource(p.protect, p.rejecter),
		"sweep-resources":      handlers.SweepResources(p.protect),
		"sweep":                handlers.Sweep(p.telemetry.WrapSweeper(p.engine), p.retention),
	}
}

// apiFunction is the function whose HTTP requests the host passes on unchanged.
const apiFunction = "api"

func newServer(b *base, store *state.Store, m *messaging, az *azure) (*customhandler.Server, error) {
	p, err := newParts(b, store, m, az)
	if err != nil {
		return nil, err
	}
	if err := b.settings.SignInUnchecked(); err != nil {
		b.log.Error("the function api refuses every call", "reason", err)
	}
	b.log.Info("app assembled", "version", b.version, "flows", az.flows.Names())
	return customhandler.New(customhandler.Config{
		Functions: functions(p), HTTP: map[string]http.Handler{apiFunction: withDashboard(b, p.api)},
		Around: b.telemetry.StartInvocation, ParentPID: b.parentPID, HostPID: b.hostPID, Log: b.log, Now: b.now,
	})
}

func newParts(b *base, store *state.Store, m *messaging, az *azure) (*parts, error) {
	e, err := engine.New(engine.Config{
		Store: b.telemetry.WrapStore(store), Queue: m.steps, Flows: az.flows,
		Waits: b.timing.waits, Tenant: b.settings.Tenant,
		Now: b.now, Jitter: b.jitter, NewID: b.newID, Sleep: b.sleep,
		StartTrace: b.telemetry.StartOperation,
		Locks:      store, StartsPerItem: b.settings.StartsPerItem, Notifier: m.notifier, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	p := &parts{
		engine: e, rejecter: m.rejecter, telemetry: b.telemetry,
	}
	sealer, err := newIntake(b, store, m, p)
	if err != nil {
		return nil, err
	}
	kept := az.kept
	p.retention = newRetention(b, store, kept)
	if err := newSchedules(b, store, m, az, kept, p); err != nil {
		return nil, err
	}
	p.protect, err = newProtection(b, store, az, e)
	if err != nil {
		return nil, err
	}
	ready, err := newPreflight(b, store, m, az, p)
	if err != nil {
		return nil, err
	}
	vaults, err := inventory.New(inventory.Config{ARM: az.client, Now: b.now})
	if err != nil {
		return nil, err
	}
	report, err := newReadiness(b, store, az, vaults, p.protect, kept)
	if err != nil {
		return nil, err
	}
	p.api, err = httpapi.New(httpapi.Config{
		Engine: e, Operations: store, Rejected: store, Decisions: store, Flows: az.flows, Sweeper: b.telemetry.WrapSweeper(e),
		Preflight: ready, Inventory: vaults, Readiness: report, Schedules: p.schedules, Drills: p.drills, Evidence: kept, Bulks: p.bulks, Limits: az.limits, Explain: p.protect.Explain, Healthy: store.Ping,
		Publish: m.publisher.Publish, Sealer: sealer, Tenant: b.settings.Tenant, Version: b.version,
		Now: b.now, Sleep: b.sleep, NewID: b.newID, RequireRoles: b.settings.APIRoles, SignInUnchecked: b.settings.SignInUnchecked(), Log: b.log,
	})
	return p, err
}

// newIntake adds everything that takes requests from queues. It returns the
// sealer of messages.
func newIntake(b *base, store *state.Store, m *messaging, p *parts) (*intake.Sealer, error) {
	sealer, err := intake.NewSealer(state.SharedRows{Store: store, Kind: "seal"}, b.newID)
	if err != nil {
		return nil, err
	}
	p.bulks, err = intake.NewBulks(state.SharedRows{Store: store, Kind: request.BulkRecords}, b.now)
	if err != nil {
		return nil, err
	}
	p.intake, err = intake.New(intake.Config{
		Engine: p.engine, Load: store.Load, Send: m.publisher.Schedule, Rejecter: m.rejecter, Sealer: sealer, Bulks: p.bulks, Waits: b.timing.waits,
		Now: b.now, NewID: b.newID, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	p.collector, err = intake.NewCollector(intake.CollectorConfig{
		Requests: m.deadRequests, Steps: m.deadSteps, Intake: p.intake, Waker: p.engine, Rejecter: m.rejecter,
		Now: b.now, Sleep: b.sleep, Log: b.log,
	})
	return sealer, err
}

func newRetention(b *base, store *state.Store, kept *archive.Archive) handlers.Retention {
	expire := func(ctx context.Context, before time.Time, limit int) (handlers.Expired, error) {
		expired, err := store.Expire(ctx, before, limit)
		return handlers.Expired(expired), err
	}
	r := handlers.Retention{Expire: expire, Keep: b.settings.Retention(), Now: b.now, Log: b.log}
	if b.settings.EvidenceKey != "" {
		r.Evidence = kept.Expire
	}
	return r
}

// newSchedules adds the schedules and the drills.
func newSchedules(b *base, store *state.Store, m *messaging, az *azure, kept *archive.Archive, p *parts) (err error) {
	c := schedule.RunnerConfig{
		Store: store, Engine: p.engine, Tenant: b.settings.Tenant, Now: b.now, SpeedFactor: b.timing.speedFactor, Log: b.log,
		Reject: func(ctx context.Context, at time.Time, key string, body []byte, reason error) error {
			return m.rejecter.Reject(ctx, intake.Rejection{Source: rejected.Schedules, MessageID: key, At: at, Body: body, Err: reason})
		},
	}
	backups, drills := c, c
	backups.Kind, backups.Items = schedule.Backups, schedule.Vaults{RecoveryServices: az.recoveryServices, DataProtection: az.dataProtection, Datasources: datasource.New(az.client)}
	backups.Schedules, backups.Incomplete = readSchedules(b.settings.Schedules, p.engine, b.log)
	if p.schedules, err = schedule.NewRunner(backups); err != nil {
		return err
	}
	drills.Kind = schedule.Drills
	if p.declaredDrills, err = readDrills(b, az, kept, p.engine); err != nil {
		return err
	}
	drills.Schedules, drills.Incomplete = p.declaredDrills.schedules, p.declaredDrills.incomplete
	p.drills, err = schedule.NewRunner(drills)
	return err
}

func newProtection(b *base, store *state.Store, az *azure, e *engine.Engine) (*autoprotect.Evaluator, error) {
	rules, rulesErr := readRules(b.settings.Protection, e, b.log)
	return autoprotect.New(autoprotect.Config{
		Rules: rules, RulesErr: rulesErr, Datasources: datasource.New(az.client),
		Vaults:  autoprotect.Vaults{RecoveryServices: az.recoveryServices, DataProtection: az.dataProtection},
		Records: store, Engine: e, Tenant: b.settings.Tenant, Now: b.now, Sleep: b.sleep, Log: b.log,
	})
}

func newPreflight(b *base, store *state.Store, m *messaging, az *azure, p *parts) (*preflight.Preflight, error) {
	evidence, err := evidenceChecks(b, p.declaredDrills)
	if err != nil {
		return nil, err
	}
	return preflight.New(preflight.Config{
		ARM: az.client, Vaults: b.settings.Vaults, ServiceBusID: b.settings.ServiceBusID,
		AllowDelete: b.settings.AllowDelete, RestoreTargets: b.settings.RestoreTargets, DrillTargets: b.settings.DrillTargets,
		Evidence: evidence, SkippedDrills: p.declaredDrills.skipped,
		Queues: []string{settings.RequestsQueue, settings.StepsQueue, settings.RejectedQueue},
		Tables: store.Ping, Bus: m.ping,
		Settings: func() error { return telemetry.Check(b.lookup) }, Unknown: b.unknown,
		SignIn: b.settings.SignInUnchecked(), Roles: b.settings.APIRoles,
		Protectable: func(ctx context.Context) (preflight.Protectable, error) { return protectable(ctx, p.protect) },
	})
}

// protectable converts what the rules may protect: the preflight knows no rules.
func protectable(ctx context.Context, rules *autoprotect.Evaluator) (p preflight.Protectable, err error) {
	found, err := rules.Protectable(ctx)
	p.Vaults = found.Vaults
	for _, r := range found.Resources {
		p.Resources = append(p.Resources, preflight.ProtectableResource(r))
	}
	for _, u := range found.Unread {
		p.Unread = append(p.Unread, preflight.Unread(u))
	}
	return p, err
}
