package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/telemetry"
)

// world holds everything that the program takes from outside. The clock and
// randomness enter the program only here.
type world struct {
	environment map[string]string
	now         func() time.Time
	jitter      func() float64
	newID       func() string
	parentPID   func() int
	hostPID     int
	sleep       func(context.Context, time.Duration) error
	version     string
	output      io.Writer
}

// app is the assembled program.
type app struct {
	server    *customhandler.Server
	telemetry *telemetry.Telemetry
}

// newApp assembles the program. It makes no call: clients connect at their first
// use.
func newApp(ctx context.Context, w world) (*app, error) {
	b, err := newBase(ctx, w)
	if err != nil {
		return nil, err
	}
	store, err := newStorage(b)
	if err != nil {
		return nil, err
	}
	m, err := newMessaging(b, store)
	if err != nil {
		return nil, err
	}
	az, err := newAzure(b, store)
	if err != nil {
		return nil, err
	}
	server, err := newServer(b, store, m, az)
	return &app{server: server, telemetry: b.telemetry}, err
}

// base holds what all parts of the program use.
type base struct {
	world
	settings  settings.Settings
	unknown   []settings.Unknown
	timing    timing
	log       *slog.Logger
	telemetry *telemetry.Telemetry
}

func newBase(ctx context.Context, w world) (*base, error) {
	s, err := settings.Read(w.environment)
	if err != nil {
		return nil, err
	}
	b := &base{world: w, settings: s, timing: newTiming(s.SpeedFactor), log: newLogger(w.output, s.LogLevel), unknown: settings.FindUnknown(w.environment)}
	for _, u := range b.unknown {
		b.log.Warn("setting does not exist", "setting", u.Name, "nearest", u.Nearest)
	}
	b.telemetry, err = telemetry.New(ctx, telemetry.Config{
		Lookup: b.lookup, Version: w.version, Log: b.log, MessageTrace: handlers.CarriedTrace,
	})
	return b, err
}

// lookup returns an environment variable.
func (b *base) lookup(name string) (string, bool) {
	value, ok := b.environment[name]
	return value, ok
}

// timing holds everything that depends on the speed factor. The other parts of the
// program get it from here, at construction.
type timing struct {
	speedFactor float64
	waits       operation.Waits
	rateLimits  ratelimit.Assumptions
}

func newTiming(speedFactor float64) timing {
	return timing{
		speedFactor: speedFactor, waits: operation.NewWaits(speedFactor), rateLimits: ratelimit.DefaultAssumptions(speedFactor),
	}
}

// scale returns a duration at the program's speed.
func (t timing) scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) / t.speedFactor)
}
