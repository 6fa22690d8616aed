package duration_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/duration"
)

const day = 24 * time.Hour

func TestParse_AcceptsShortAndISOForms(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(duration.Pattern)
	for text, want := range map[string]time.Duration{
		"36h": 36 * time.Hour, "7d": 7 * day, "90m": 90 * time.Minute, "1d12h": 36 * time.Hour, "2w": 14 * day,
		"30s": 30 * time.Second, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "0s": 0, "1m30s": 90 * time.Second, "0.1s": 100 * time.Millisecond, "0.0001ms": time.Microsecond,
		"PT36H": 36 * time.Hour, "P7D": 7 * day, "P1DT12H": 36 * time.Hour, "P2W": 14 * day, "PT1M30S": 90 * time.Second, "PT0.5S": time.Second / 2,
		"P1M": 30 * day, "P1Y": 365 * day, "P1Y2M3DT4H5M6S": (365+60+3)*day + 4*time.Hour + 5*time.Minute + 6*time.Second, "PT6H": 6 * time.Hour, "PT0S": 0,
	} {
		got, ok := duration.Parse(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
		require.Regexp(t, pattern, text, "a JSON Schema accepts it too")
	}
	for _, text := range []string{
		"", "7", "h", "-3h", "+3h", "7 d", " 7d", "7d\n", "3y", "P", "PT", "P1DT", "1h-2m", "9999999999999w", "P99999999999D", "soon", "1e3h", "pt1h", "P1H", "PT1D", "P1.5D", "P1WT1H", "-PT1H", "1.h", ".5h",
		"36H", "1M", "1MS", // 1M could be a month
		"٣h",                     // digits of another script
		strings.Repeat("1h", 51), // no one writes that much
	} {
		_, ok := duration.Parse(text)
		require.False(t, ok, "%q", text)
	}
}

func TestISO_IsReadAsTheSameDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		36 * time.Hour: "PT36H", 7 * day: "P7D", 90 * time.Minute: "PT1H30M", time.Second / 4: "PT0.25S", 61 * time.Second: "PT1M1S", 0: "PT0S",
	} {
		require.Equal(t, want, duration.ISO(d))
		got, ok := duration.Parse(want)
		require.True(t, ok)
		require.Equal(t, d, got)
	}
}

// A text that is accepted is accepted by the pattern, formatted in ISO 8601, and
// read as the same duration.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"36h", "1d12h", "PT36H", "P1Y2M3DT4H5M6.7S", "250ms", "P", "9999w", ""} {
		f.Add(text)
	}
	pattern := regexp.MustCompile(duration.Pattern)
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := duration.Parse(text)
		if !ok {
			return
		}
		require.GreaterOrEqual(t, d, time.Duration(0))
		require.Regexp(t, pattern, text)
		again, ok := duration.Parse(duration.ISO(d))
		require.True(t, ok, duration.ISO(d))
		const exact = time.Millisecond // of durations of centuries
		require.InDelta(t, d, again, float64(exact))
	})
}
