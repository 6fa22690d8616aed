//go:build !linux

package harness

import (
	"errors"
	"time"
)

type usage struct {
	user, system time.Duration
	rss, peak    int64
}

func readUsage(int) (usage, error) {
	return usage{}, errors.New("the benchmark needs /proc; run it on Linux")
}
