package schedule

import (
	"context"
	"fmt"
	"strings"

	"azbackupflow/internal/parallel"
	"azbackupflow/internal/schedule/run"
)

// Runners are runners of different kinds over the same store.
type Runners []*Runner

// Tick starts the runs of all runners that are due. It loads the records once.
func (rs Runners) Tick(ctx context.Context) error {
	if len(rs) == 0 {
		return nil
	}
	shared, ok := rs[0].c.Store.(kindStore)
	if !ok {
		return fmt.Errorf("schedule: the store of a runner is %T", rs[0].c.Store)
	}
	all, err := shared.Store.LoadScheduleRuns(ctx)
	if err != nil {
		return fmt.Errorf("load the schedule records: %w", err)
	}
	group := parallel.New()
	for _, r := range rs {
		group.Go(func() error { return r.tickAll(ctx, r.c.Kind.own(all)) })
	}
	return group.Wait()
}

// kindStore is a store with the records of one kind. Names of schedules have no
// colons, so a prefix separates the kinds.
type kindStore struct {
	Store
	kind Kind
}

// prefix precedes the names of records. The names of backups have none, because
// earlier versions stored them so.
func (k Kind) prefix() string {
	if k == Backups {
		return ""
	}
	return string(k) + ":"
}

// own returns the records of a kind, by the names of their schedules.
func (k Kind) own(all map[string]run.Record) map[string]run.Record {
	own := map[string]run.Record{}
	for name, record := range all {
		name, found := strings.CutPrefix(name, k.prefix())
		if found && !strings.Contains(name, ":") {
			record.Name = name
			own[name] = record
		}
	}
	return own
}

// LoadScheduleRuns returns the records of one kind.
func (s kindStore) LoadScheduleRuns(ctx context.Context) (map[string]run.Record, error) {
	all, err := s.Store.LoadScheduleRuns(ctx)
	return s.kind.own(all), err
}

// SaveScheduleRun saves a record under the name of its kind.
func (s kindStore) SaveScheduleRun(ctx context.Context, record run.Record) (string, error) {
	record.Name = s.kind.prefix() + record.Name
	return s.Store.SaveScheduleRun(ctx, record)
}
