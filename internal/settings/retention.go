package settings

import (
	"fmt"
	"time"

	"azbackupflow/internal/duration"
)

const (
	minRetention     = 24 * time.Hour
	maxStartsPerItem = 1000
)

func parseRetention(text string) (time.Duration, error) {
	d, ok := duration.Parse(text)
	if !ok || d < minRetention {
		return 0, fmt.Errorf("settings: AZBACKUPFLOW_RETENTION is %q; set a duration of at least one day, such as 90d or P90D", text)
	}
	return d, nil
}

func (s Settings) checkStartsPerItem() error {
	if s.StartsPerItem < 0 || s.StartsPerItem > maxStartsPerItem {
		return fmt.Errorf("settings: AZBACKUPFLOW_STARTS_PER_ITEM is %d; set 0 (unlimited) to %d", s.StartsPerItem, maxStartsPerItem)
	}
	return nil
}
