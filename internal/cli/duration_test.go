package cli_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
)

func TestParseDuration_AcceptsShortAndISOForms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"36h": 36 * time.Hour, "7d": 7 * 24 * time.Hour, "90m": 90 * time.Minute, "1d12h": 36 * time.Hour, "2w": 14 * 24 * time.Hour,
		"30s": 30 * time.Second, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "36H": 36 * time.Hour, "0s": 0,
		"PT36H": 36 * time.Hour, "P7D": 7 * 24 * time.Hour, "P1DT12H": 36 * time.Hour, "P2W": 14 * 24 * time.Hour, "PT1M30S": 90 * time.Second, "PT0.5S": time.Second / 2,
	} {
		got, ok := cli.ParseDuration(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "7", "h", "-3h", "7 d", "3y", "P", "PT", "P1DT", "P1M", "P1Y", "1h-2m", "9999999999999w", "P99999999999D", "soon", "1e3h", "pt1h"} {
		_, ok := cli.ParseDuration(text)
		require.False(t, ok, text)
	}
}

func TestISODuration_IsReadAsTheSameDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		36 * time.Hour: "PT36H", 7 * 24 * time.Hour: "P7D", 90 * time.Minute: "PT1H30M", time.Second / 4: "PT0.25S", 61 * time.Second: "PT1M1S", 0: "PT0S",
	} {
		require.Equal(t, want, cli.ISODuration(d))
		got, ok := cli.ParseDuration(want)
		require.True(t, ok)
		require.Equal(t, d, got)
	}
}
