// Package stack combines the stand-ins into a local replacement for Azure, and
// runs the deployed program between them. The stand-in for the Functions host
// starts the handler from the deployed folder. The handler uses AMQP to the
// broker, HTTP to the table service of Azurite (through a proxy that tests can
// disable) and HTTP to the ARM simulator, and gets its tokens from the managed
// identity endpoint of the simulator.
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
	"slices"
	"strconv"
	"strings"
	"sync"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/azurite"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/functionshost"
	"azbackupflow/internal/local/servicebus"
	"azbackupflow/internal/local/storageproxy"
	"azbackupflow/internal/settings"
)

// Config configures a Stack. The zero value runs the demo world from the folder
// dist, at 60 times Azure's speed.
type Config struct {
	// Dist is the folder with host.json and the handler, "dist" if empty.
	Dist string
	// Dir keeps the tables between runs; empty keeps them in memory.
	Dir string
	// SpeedFactor divides the durations of the simulator and the waits of the
	// handler; 60 if zero.
	SpeedFactor float64
	// NoHost starts no Functions host, but everything that the real one needs: the
	// stand-ins, Azurite with blobs and queues too, and the file SettingsFile in
	// Dist.
	NoHost bool
	// Port is the HTTP port of the Functions host; 0 means a free one.
	Port int
	// ARMEndpoint replaces the simulator as Azure Resource Manager. Tokens still
	// come from the simulator.
	ARMEndpoint string
	// World, Quotas and RequireSignedPolls configure the simulator.
	World              *armsim.World
	Quotas             armsim.Quotas
	RequireSignedPolls bool
	// Fault is called at each moment of each request that a stand-in serves.
	Fault fault.Hook
	// Drills also starts Azurite's blob service, which keeps the evidence of restore
	// drills, and configures the app with a new key that signs it.
	Drills bool
	// Restart sets when the host stops restarting a handler that crashes.
	Restart functionshost.RestartPolicy
	// Queues are queues in addition to those of the app, such as queues for replies.
	Queues []string
	// Topics are topics, such as the one for notices. Each has one subscription, named
	// Subscription.
	Topics []string
	// BusPort is the port of the Service Bus broker; 0 means a free one.
	BusPort int
	// BusKey is the access key of the broker; empty means a random one.
	BusKey string
	// Settings are additional app settings. They override the settings of the
	// stack.
	Settings map[string]string
	// Log receives the log of the stand-ins, Output the output of the handler.
	Log    *slog.Logger
	Output func(functionshost.HandlerLine)
	// HostLines receives the lines that the real host would log.
	HostLines func(functionshost.HostLine)
}

// Stack is a running stack.
type Stack struct {
	Broker *servicebus.Broker
	Tables *storageproxy.Proxy
	ARM    *armsim.Simulator

	config   Config
	services closers
	// storage is the connection to all storage services, for the real host.
	storage string
	// drills are the app settings of restore drills; nil without Config.Drills.
	drills map[string]string
	// evidence is the connection to the storage of evidence, without a proxy.
	evidence string

	mu   sync.Mutex
	host *functionshost.Host
}

// Endpoint is a named address of the stack.
type Endpoint struct{ Name, Address string }

// New starts the stack and returns when the handler answers. The error is a
// *FolderInUseError if another stack uses Config.Dir.
func New(ctx context.Context, c Config) (*Stack, error) {
	c = c.withDefaults()
	if err := functionshost.Layout(c.Dist); err != nil {
		return nil, fmt.Errorf("folder %s is not a package; run make package: %w", c.Dist, err)
	}
	var started closers
	fail := func(service string, err error) (*Stack, error) {
		return nil, errors.Join(fmt.Errorf("%s: %w", service, err), started.close())
	}
	unlock, err := lockFolder(c.Dir)
	if err != nil {
		return nil, err
	}
	started.add(unlock)
	tables, err := azurite.New(ctx, azurite.Config{Dir: c.Dir, Blobs: c.NoHost || c.Drills, Queues: c.NoHost, Log: c.Log})
	if err != nil {
		return fail("table service", err)
	}
	started.add(tables.Stop)
	proxy, err := storageproxy.New(ctx, storageproxy.Config{Target: tables.ConnectionString(), Fault: c.Fault})
	if err != nil {
		return fail("table service", err)
	}
	started.add(proxy.Close)
	broker, err := servicebus.New(servicebus.Config{
		Address: "127.0.0.1:" + strconv.Itoa(c.BusPort), Key: c.BusKey, Fault: c.Fault, Logger: c.Log,
		Queues: queues(c.SpeedFactor, c.Queues), Topics: topics(c.SpeedFactor, c.Topics),
	})
	if err != nil {
		return fail("service bus", err)
	}
	started.add(broker.Close)
	arm, err := armsim.New(armsim.Config{
		SpeedFactor: c.SpeedFactor, World: c.World, Quotas: c.Quotas, RequireSignedPolls: c.RequireSignedPolls,
		Fault: c.Fault, Logger: c.Log,
	})
	if err != nil {
		return fail("resource manager", err)
	}
	started.add(arm.Close)
	s := &Stack{Broker: broker, Tables: proxy, ARM: arm, config: c, services: started}
	if c.Drills {
		if err := s.prepareDrills(ctx, tables.ConnectionString()); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	begin := s.StartHost
	if c.NoHost {
		s.storage = tables.ConnectionString()
		begin = func(context.Context) error { return s.writeSettings() }
	}
	if err := begin(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Dist == "" {
		c.Dist = "dist"
	}
	if c.SpeedFactor == 0 {
		c.SpeedFactor = 60
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// closers close what has been started, in reverse order.
type closers []func() error

func (c *closers) add(f func() error) { *c = append(*c, f) }

func (c closers) close() error {
	var failures []error
	for _, f := range slices.Backward(c) {
		failures = append(failures, f())
	}
	return errors.Join(failures...)
}

// StartHost starts the Functions host, or a new one after the old one has
// stopped. It does not reuse a free port of the old one.
func (s *Stack) StartHost(ctx context.Context) error {
	host, err := functionshost.New(ctx, functionshost.Config{
		Root: s.config.Dist, Settings: s.settings(), Address: "127.0.0.1:" + strconv.Itoa(s.config.Port),
		Log: s.config.Log, Output: s.config.Output, HostLines: s.config.HostLines, Fault: s.config.Fault, Restart: s.config.Restart,
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

// settings returns the app settings for the handler and the bindings.
func (s *Stack) settings() map[string]string {
	endpoint := s.config.ARMEndpoint
	if endpoint == "" {
		endpoint = s.ARM.Endpoint()
	}
	app := map[string]string{
		"FUNCTIONS_WORKER_RUNTIME":    "custom",
		settings.TablesConnection:     s.Tables.ConnectionString(),
		settings.ServiceBusConnection: s.Broker.ConnectionString(),
		"SweepSchedule":               sweepSchedule(s.config.SpeedFactor),
		"DeadLetterSchedule":          sweepSchedule(s.config.SpeedFactor),
		"AZBACKUPFLOW_TENANT":         "local",
		"AZBACKUPFLOW_ARM_ENDPOINT":   endpoint,
		"AZBACKUPFLOW_SPEED_FACTOR":   strconv.FormatFloat(s.config.SpeedFactor, 'f', -1, 64),
		"IDENTITY_ENDPOINT":           s.ARM.IdentityEndpoint(),
		"IDENTITY_HEADER":             s.ARM.IdentityHeader(),
	}
	if s.config.ARMEndpoint == "" {
		app["AZBACKUPFLOW_SERVICE_BUS_ID"] = armsim.DemoServiceBus
		app["AZBACKUPFLOW_VAULTS"] = strings.Join(vaults(s.config.World), ",")
	}
	maps.Copy(app, s.drills)
	if s.storage != "" {
		app[settings.TablesConnection] = s.storage
	}
	maps.Copy(app, s.config.Settings)
	return app
}

// vaults returns the IDs of the vaults in the world of the simulator.
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

// sweepSchedule returns five minutes divided by the speed factor, as a schedule
// of six fields.
func sweepSchedule(speed float64) string {
	seconds := int(math.Ceil(300 / speed))
	if seconds >= 60 {
		return fmt.Sprintf("0 */%d * * * *", min(seconds/60, 59))
	}
	return fmt.Sprintf("*/%d * * * * *", max(seconds, 1))
}

// Host returns the current Functions host, or the last one; nil without a host.
func (s *Stack) Host() *functionshost.Host {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.host
}

// URL returns the HTTP address of the Functions host.
func (s *Stack) URL() string { return s.Host().URL() }

// KillHandler kills the handler with SIGKILL; the host restarts it.
func (s *Stack) KillHandler() bool { return s.Host().KillHandler() }

// Endpoints returns the addresses of the stack.
func (s *Stack) Endpoints() []Endpoint {
	arm := Endpoint{"Azure Resource Manager (simulator)", s.ARM.Endpoint()}
	if s.config.ARMEndpoint != "" {
		arm = Endpoint{"Azure Resource Manager", s.config.ARMEndpoint}
	}
	if s.config.NoHost {
		return []Endpoint{{"Service Bus", s.Broker.ConnectionString()}, {"Storage", s.storage}, arm}
	}
	return []Endpoint{
		{"Functions host", s.URL()},
		{"Service Bus", s.Broker.ConnectionString()},
		{"Table Storage", s.Tables.ConnectionString()},
		arm,
	}
}

// Close stops everything in reverse order of the start. Tables in Config.Dir
// are written to disk.
func (s *Stack) Close() error {
	if host := s.Host(); host != nil {
		host.Close()
	}
	return s.services.close()
}
