package functionshost

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSchedule_NextOccurrence(t *testing.T) {
	t.Parallel()
	cases := []struct{ expression, after, next string }{
		{"0 */5 * * * *", "2026-11-20T10:00:00Z", "2026-11-20T10:05:00Z"},
		{"0 */5 * * * *", "2026-11-20T10:04:59.9Z", "2026-11-20T10:05:00Z"},
		{"*/10 * * * * *", "2026-11-20T10:00:00Z", "2026-11-20T10:00:10Z"},
		{"0 0 2 * * *", "2026-11-20T02:00:00Z", "2026-11-21T02:00:00Z"},
		{"0 30 9 * Jan Mon", "2026-11-20T00:00:00Z", "2027-01-04T09:30:00Z"},
		{"0 30 9 * * 1-5", "2026-11-20T10:00:00Z", "2026-11-23T09:30:00Z"},
		{"5,8,10 * * * * *", "2026-11-20T10:00:08Z", "2026-11-20T10:00:10Z"},
		{"0 10/20 * * * *", "2026-11-20T10:11:00Z", "2026-11-20T10:30:00Z"},
		{"0 0 0 29 February *", "2026-11-20T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"0 0 0 31 12 sunday", "2026-11-20T00:00:00Z", "2028-12-31T00:00:00Z"},
		{"59 59 23 31 12 *", "2026-12-31T23:59:59Z", "2027-12-31T23:59:59Z"},
	}
	for _, c := range cases {
		s, err := parseSchedule(c.expression)
		require.NoError(t, err, c.expression)
		after, err := time.Parse(time.RFC3339, c.after)
		require.NoError(t, err)
		require.Equal(t, c.next, s.next(after).Format(time.RFC3339), c.expression)
	}
}

func TestSchedule_DayMatchesBothDayFields(t *testing.T) {
	t.Parallel()
	s, err := parseSchedule("0 0 0 13 * 5")
	require.NoError(t, err)
	friday := s.next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	require.Equal(t, time.Date(2026, 2, 13, 0, 0, 0, 0, time.UTC), friday, "a Friday the 13th, not the first Friday or the first 13th")
}

func TestSchedule_WithoutAnOccurrenceEnds(t *testing.T) {
	t.Parallel()
	s, err := parseSchedule("0 0 0 30 2 *")
	require.NoError(t, err)
	require.True(t, s.next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero())
	require.False(t, s.often(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
}

func TestParseSchedule_RejectsWhatAzureRejects(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"", "* * * * *", "* * * * * * *", "@daily", "0 0 0 * * 7", "60 * * * * *", "0 0 24 * * *", "0 0 0 0 * *",
		"0 0 0 ? * *", "0 0 0 L * *", "0 */0 * * * *", "0 5-1 * * * *", "x * * * * *", "0 0 0 * Ja *", "0 , * * * *", "TZ=UTC 0 0 0 * *",
	} {
		_, err := parseSchedule(expression)
		require.Error(t, err, expression)
	}
}

func TestSchedule_OftenIsLessThanAMinute(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for expression, often := range map[string]bool{"*/30 * * * * *": true, "0,1 0 * * * *": true, "0 * * * * *": false, "0 0 2 * * *": false} {
		s, err := parseSchedule(expression)
		require.NoError(t, err)
		require.Equal(t, often, s.often(now), expression)
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, seed := range []string{"0 */5 * * * *", "0 0 0 31 12 sunday", "1-5/2,7 * * * * mon-fri", "0 0 0 30 2 *", "-", "a/b * * * * *"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		s, err := parseSchedule(expression)
		if err != nil {
			return
		}
		after := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
		if next := s.next(after); !next.IsZero() {
			require.True(t, next.After(after))
		}
	})
}
