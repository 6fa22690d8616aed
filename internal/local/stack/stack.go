// Package stack puts the stand-ins together: all that a laptop needs instead of
// Azure, with the very program that is deployed between them. The handler is
// started by the stand-in for the Functions host from the folder that is
// deployed, talks AMQP to the broker, HTTP to Azurite's table service (through
// a proxy that tests can take away) and to the ARM simulator, and gets its
// tokens from the simulator's managed identity endpoint.
//
// What it does not do: TLS, scaling out, Event Grid, Application Insights.
package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/azurite"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/local/servicebus"
	"azbackupflow/internal/local/tableproxy"
	"azbackupflow/internal/settings"
)

// Config says how to run the stack. Its zero value runs the demo world at 60
// times Azure's speed from the folder dist.
type Config struct {
	// Dist is the folder with host.json and the handler, "dist" if empty.
	Dist string
	// Dir keeps the tables between runs; empty keeps them in memory.
	Dir string
	// SpeedFactor is how much faster than Azure the simulator works, and the handler
	// waits; 60 if zero.
	SpeedFactor float64
	// Port is where the Functions host serves HTTP; 0 takes a free one.
	Port int
	// ARMEndpoint is another Azure Resource Manager than the simulator. Tokens
	// still come from the simulator.
	ARMEndpoint string
	// World and Quotas are the simulator's.
	World  *armsim.World
	Quotas armsim.Quotas
	// Fault is called around every request that any of the stand-ins serves.
	Fault fault.Hook
	// Restart says when the host gives up on a handler that crashes.
	Restart functionshost.RestartPolicy
	// Queues are further queues than the app's own, such as those that get its
	// notices.
	Queues []string
	// Settings are further app settings; they win over the stack's own.
	Settings map[string]string
	// Log receives what the stand-ins say, Output what the handler writes.
	Log    *slog.Logger
	Output func(functionshost.HandlerLine)
}

// Stack is a running stack.
type Stack struct {
	Broker *servicebus.Broker
	Tables *tableproxy.Proxy
	ARM    *armsim.Simulator

	cfg     Config
	azurite *azurite.Server

	mu   sync.Mutex
	host *functionshost.Host
}

// Endpoint is one address of the stack, for people.
type Endpoint struct{ Name, Address string }

// New starts everything and returns when the handler answers.
func New(ctx context.Context, c Config) (_ *Stack, err error) {
	if c.Dist == "" {
		c.Dist = "dist"
	}
	if c.SpeedFactor == 0 {
		c.SpeedFactor = 60
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if err := functionshost.Layout(c.Dist); err != nil {
		return nil, fmt.Errorf("%s is not what make package assembles: %w", c.Dist, err)
	}
	s := &Stack{cfg: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.azurite, err = azurite.New(ctx, azurite.Config{Dir: c.Dir, Log: c.Log}); err != nil {
		return nil, fmt.Errorf("table service: %w", err)
	}
	if s.Tables, err = tableproxy.New(ctx, tableproxy.Config{Target: s.azurite.ConnectionString(), Fault: c.Fault}); err != nil {
		return nil, fmt.Errorf("table service: %w", err)
	}
	if s.Broker, err = servicebus.Start(servicebus.Config{Queues: queues(c.SpeedFactor, c.Queues), Fault: c.Fault, Logger: c.Log}); err != nil {
		return nil, fmt.Errorf("service bus: %w", err)
	}
	if s.ARM, err = armsim.New(armsim.Config{SpeedFactor: c.SpeedFactor, World: c.World, Quotas: c.Quotas, Fault: c.Fault, Logger: c.Log}); err != nil {
		return nil, fmt.Errorf("resource manager: %w", err)
	}
	if err := s.StartHost(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// queues have the properties that the engine relies on, as infra/ gives them in
// Azure; locks are shorter at speed, because the host renews them.
func queues(speed float64, further []string) []servicebus.QueueConfig {
	lock := max(time.Duration(float64(5*time.Minute)/speed), 10*time.Second)
	var all []servicebus.QueueConfig
	for _, name := range append([]string{settings.RequestsQueue, settings.StepsQueue, settings.RejectedQueue}, further...) {
		all = append(all, servicebus.QueueConfig{
			Name: name, LockDuration: lock, MaxDeliveryCount: 10,
			DefaultTTL: 14 * 24 * time.Hour, DeadLetterOnExpiration: true,
			DuplicateDetectionWindow: 10 * time.Minute,
		})
	}
	return all
}

// StartHost starts the Functions host, or a new one where the old one has
// stopped. The old one's port is not used again.
func (s *Stack) StartHost(ctx context.Context) error {
	host, err := functionshost.Start(ctx, functionshost.Config{
		Root: s.cfg.Dist, Settings: s.settings(), Address: "127.0.0.1:" + strconv.Itoa(s.cfg.Port),
		Log: s.cfg.Log, Output: s.cfg.Output, Fault: s.cfg.Fault, Restart: s.cfg.Restart,
	})
	if err != nil {
		return fmt.Errorf("functions host: %w", err)
	}
	s.mu.Lock()
	s.host = host
	s.mu.Unlock()
	if err := host.WaitReady(ctx); err != nil {
		return fmt.Errorf("functions host: %w", err)
	}
	return nil
}

// settings are the app settings that the handler and the bindings read.
func (s *Stack) settings() map[string]string {
	endpoint := s.cfg.ARMEndpoint
	if endpoint == "" {
		endpoint = s.ARM.Endpoint()
	}
	app := map[string]string{
		"FUNCTIONS_WORKER_RUNTIME":    "custom",
		settings.TablesConnection:     s.Tables.ConnectionString(),
		settings.ServiceBusConnection: s.Broker.ConnectionString(),
		"SweepSchedule":               sweepSchedule(s.cfg.SpeedFactor),
		"AZBACKUPFLOW_TENANT":         "local",
		"AZBACKUPFLOW_ARM_ENDPOINT":   endpoint,
		"AZBACKUPFLOW_SPEED":          strconv.FormatFloat(s.cfg.SpeedFactor, 'f', -1, 64),
		"IDENTITY_ENDPOINT":           s.ARM.IdentityEndpoint(),
		"IDENTITY_HEADER":             s.ARM.IdentityHeader(),
	}
	if s.cfg.ARMEndpoint == "" {
		app["AZBACKUPFLOW_SERVICE_BUS_ID"] = armsim.DemoServiceBus
		app["AZBACKUPFLOW_VAULTS"] = strings.Join(vaults(s.cfg.World), ",")
	}
	maps.Copy(app, s.cfg.Settings)
	return app
}

// vaults are those of the simulator's world.
func vaults(w *armsim.World) (ids []string) {
	if w == nil {
		demo := armsim.DemoWorld()
		w = &demo
	}
	for _, v := range w.Vaults {
		ids = append(ids, v.ID())
	}
	for _, v := range w.BackupVaults {
		ids = append(ids, v.ID())
	}
	return ids
}

// sweepSchedule is every five minutes, at speed, as the timer's six fields.
func sweepSchedule(speed float64) string {
	seconds := int(math.Ceil(300 / speed))
	if seconds >= 60 {
		return fmt.Sprintf("0 */%d * * * *", min(seconds/60, 59))
	}
	return fmt.Sprintf("*/%d * * * * *", max(seconds, 1))
}

// Host is the Functions host that runs, or the last one that did.
func (s *Stack) Host() *functionshost.Host {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host
}

// URL is where the Functions host serves HTTP.
func (s *Stack) URL() string { return s.Host().URL() }

// KillHandler kills the handler with SIGKILL; the host starts it again.
func (s *Stack) KillHandler() bool { return s.Host().KillHandler() }

// Endpoints lists the stack's addresses.
func (s *Stack) Endpoints() []Endpoint {
	arm := Endpoint{"Azure Resource Manager (simulator)", s.ARM.Endpoint()}
	if s.cfg.ARMEndpoint != "" {
		arm = Endpoint{"Azure Resource Manager", s.cfg.ARMEndpoint}
	}
	return []Endpoint{
		{"Functions host", s.URL()},
		{"Service Bus", s.Broker.ConnectionString()},
		{"Table Storage", s.Tables.ConnectionString()},
		arm,
	}
}

// Close stops everything, what was started last first. Tables that are kept are
// written out.
func (s *Stack) Close() error {
	if host := s.Host(); host != nil {
		host.Close()
	}
	var failures []error
	if s.ARM != nil {
		failures = append(failures, s.ARM.Close())
	}
	if s.Broker != nil {
		failures = append(failures, s.Broker.Close())
	}
	if s.Tables != nil {
		failures = append(failures, s.Tables.Close())
	}
	if s.azurite != nil {
		failures = append(failures, s.azurite.Stop())
	}
	return errors.Join(failures...)
}
