package localstack

import (
	"context"
	"os"
	"slices"
	"time"
)

// watchInterval is the time between two looks at the files.
const watchInterval = time.Second

// Watch calls changed with the name of a file each time its content has changed,
// until ctx ends. It reads the files again and again, because editors replace a file
// instead of writing to it. A file that is missing for a moment has not changed.
func Watch(ctx context.Context, files []string, ticks func(time.Duration) (<-chan time.Time, func()), changed func(file string)) {
	known := make([][]byte, len(files))
	for i, file := range files {
		known[i], _ = os.ReadFile(file) //nolint:gosec // G304: the user names the file
	}
	tick, stop := ticks(watchInterval)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		for i, file := range files {
			raw, err := os.ReadFile(file) //nolint:gosec // G304: the user names the file
			if err != nil || slices.Equal(raw, known[i]) {
				continue
			}
			known[i] = raw
			changed(file)
		}
	}
}
