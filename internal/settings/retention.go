package settings

import (
	"fmt"
	"time"

	"github.com/sosodev/duration"
)

const (
	minRetention     = 24 * time.Hour
	maxStartsPerItem = 1000
)

func parseRetention(text string) (time.Duration, error) {
	d, err := duration.Parse(text)
	if err != nil || d.ToTimeDuration() < minRetention {
		return 0, fmt.Errorf("settings: AZBACKUPFLOW_RETENTION is %q; set an ISO 8601 duration of at least one day, such as P90D", text)
	}
	return d.ToTimeDuration(), nil
}

func (s Settings) checkStartsPerItem() error {
	if s.StartsPerItem < 0 || s.StartsPerItem > maxStartsPerItem {
		return fmt.Errorf("settings: AZBACKUPFLOW_STARTS_PER_ITEM is %d; set 0 (unlimited) to %d", s.StartsPerItem, maxStartsPerItem)
	}
	return nil
}
