package settings

import (
	"fmt"
	"time"

	"github.com/sosodev/duration"
)

const (
	shortestRetention = 24 * time.Hour
	mostStartsPerItem = 1000
)

// Keep is the retention as a duration.
func (s Settings) Keep() (time.Duration, error) {
	d, err := duration.Parse(s.Retention)
	if err != nil || d.ToTimeDuration() < shortestRetention {
		return 0, fmt.Errorf("settings: AZBACKUPFLOW_RETENTION is %q, want an ISO 8601 duration of at least a day, such as P90D", s.Retention)
	}
	return d.ToTimeDuration(), nil
}

func (s Settings) checkHousekeeping() error {
	if s.StartsPerItem < 0 || s.StartsPerItem > mostStartsPerItem {
		return fmt.Errorf("settings: AZBACKUPFLOW_STARTS_PER_ITEM is %d, want 0 (no limit) to %d", s.StartsPerItem, mostStartsPerItem)
	}
	_, err := s.Keep()
	return err
}
