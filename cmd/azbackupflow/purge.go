package main

import (
	"context"
	"time"

	"azbackupflow/internal/client"
)

// purgeAll removes dead letters of before the time, portion by portion.
func purgeAll(ctx context.Context, c *client.Client, before time.Time) (removed int, err error) {
	for {
		portion, err := c.PurgeRejected(ctx, before)
		removed += portion.Removed
		if err != nil || !portion.More {
			return removed, err
		}
	}
}
