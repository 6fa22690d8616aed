package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
)

// limitFlag is the flag --limit of commands that list.
type limitFlag struct {
	Limit int `default:"50" help:"Maximum number of results."`
}

func (l limitFlag) check() error {
	if l.Limit < 1 {
		return &cli.UsageError{Text: fmt.Sprintf("--limit %d is too small", l.Limit), Remedy: "use at least 1"}
	}
	return nil
}

// collect joins pages up to the limit, and returns how to continue. A page may be
// short, or even empty, without being the last.
func collect[T any](ctx context.Context, limit int, list func(ctx context.Context, size int, next string) ([]T, string, error)) ([]T, string, error) {
	all := []T{}
	for next := ""; ; {
		page, more, err := list(ctx, min(limit-len(all), api.MaxPageSize), next)
		if err != nil {
			return all, "", err
		}
		all, next = append(all, page...), more
		if more == "" || len(all) >= limit {
			return all, more, nil
		}
	}
}

// sortedNames returns the keys of a map, sorted.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
