package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/schedule"
)

func timing(t *testing.T, cron, zone string) schedule.Timing {
	t.Helper()
	timing, err := schedule.NewTiming(cron, zone)
	require.NoError(t, err)
	return timing
}

func utc(text string) time.Time {
	at, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		panic(err)
	}
	return at
}

func names(slots []schedule.Slot) []string {
	all := make([]string, len(slots))
	for i, s := range slots {
		all[i] = s.Name + " " + s.At.UTC().Format("15:04Z")
	}
	return all
}

func TestSlots_RunOncePerDayAcrossClockChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, cron, zone, after, until string
		want                           []string
	}{
		{"Berlin skips 02:30", "30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00", "2026-03-31T00:00:00", []string{
			"2026-03-28T02:30 01:30Z", "2026-03-29T03:30 01:30Z", "2026-03-30T02:30 00:30Z"}},
		{"Berlin shows 02:30 twice", "30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00", "2026-10-27T00:00:00", []string{
			"2026-10-24T02:30 00:30Z", "2026-10-25T02:30 00:30Z", "2026-10-26T02:30 01:30Z"}},
		{"New York skips 02:30", "0 30 2 * * *", "America/New_York", "2026-03-07T00:00:00", "2026-03-10T00:00:00", []string{
			"2026-03-07T02:30 07:30Z", "2026-03-08T03:30 07:30Z", "2026-03-09T02:30 06:30Z"}},
		{"New York shows 01:30 twice", "30 1 * * *", "America/New_York", "2026-10-31T00:00:00", "2026-11-03T00:00:00", []string{
			"2026-10-31T01:30 05:30Z", "2026-11-01T01:30 05:30Z", "2026-11-02T01:30 06:30Z"}},
		{"a run due before the clocks went back", "50 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00", "2026-10-25T01:10:00", []string{
			"2026-10-25T02:50 00:50Z"}},
		{"a run not yet due when the clocks have gone back", "10 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00", "2026-10-25T01:50:00", []string{}},
		{"times that coincide run once", "30 2,3 * * *", "Europe/Berlin", "2026-03-28T23:00:00", "2026-03-29T23:00:00", []string{
			"2026-03-29T03:30 01:30Z"}},
		{"hours are counted once in autumn", "0 1-4 * * *", "Europe/Berlin", "2026-10-24T22:00:00", "2026-10-25T12:00:00", []string{
			"2026-10-25T01:00 23:00Z", "2026-10-25T02:00 00:00Z", "2026-10-25T03:00 02:00Z", "2026-10-25T04:00 03:00Z"}},
		{"half an hour is skipped on Lord Howe Island", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00", "2026-10-05T00:00:00", []string{
			"2026-10-04T02:45 15:45Z", "2026-10-05T02:15 15:15Z"}},
		{"midnight is skipped in Havana", "0 0 * * *", "America/Havana", "2026-03-07T12:00:00", "2026-03-09T12:00:00", []string{
			"2026-03-08T01:00 05:00Z", "2026-03-09T00:00 04:00Z"}},
		{"a day must match both day fields", "0 0 13 * FRI", "UTC", "2026-01-01T00:00:00", "2026-12-31T00:00:00", []string{
			"2026-02-13T00:00 00:00Z", "2026-03-13T00:00 00:00Z", "2026-11-13T00:00 00:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			slots := timing(t, c.cron, c.zone).Slots(utc(c.after), utc(c.until))
			require.Equal(t, c.want, names(slots))
		})
	}
}

// For every zone and expression: slots have unique names and instants, each lies
// in its span, and adjacent spans return the same slots as the whole span.
func TestSlots_AreTheSameForAdjacentSpans(t *testing.T) {
	if testing.Short() {
		t.Skip("checks two years of every zone")
	}
	t.Parallel()
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca", "America/Sao_Paulo"} {
		for _, cron := range []string{"*/17 * * * *", "30 2 * * *", "0 */6 * * *", "59 23 * * 0"} {
			t.Run(zone+" "+cron, func(t *testing.T) {
				t.Parallel()
				timing := timing(t, cron, zone)
				for _, year := range []int{2011, 2026} {
					begin := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
					end := begin.AddDate(1, 0, 0)
					whole := timing.Slots(begin, end)
					var pieces []schedule.Slot
					for at := begin; at.Before(end); at = at.Add(131 * time.Hour) {
						until := at.Add(131 * time.Hour)
						if until.After(end) {
							until = end
						}
						piece := timing.Slots(at, until)
						for _, s := range piece {
							require.True(t, s.At.After(at) && !s.At.After(until))
						}
						pieces = append(pieces, piece...)
					}
					require.Equal(t, whole, pieces)
					for i := 1; i < len(whole); i++ {
						require.True(t, whole[i].At.After(whole[i-1].At))
					}
					seen := map[string]bool{}
					for _, s := range whole {
						require.False(t, seen[s.Name], s.Name)
						seen[s.Name] = true
					}
				}
			})
		}
	}
}

func TestNext_FindsSlotsYearsAway(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"2028-02-29T12:00 12:00Z", "2032-02-29T12:00 12:00Z"},
		names(timing(t, "0 12 29 2 *", "UTC").Next(utc("2026-11-21T00:00:00"), 2)))
	require.Len(t, timing(t, "* * * * *", "UTC").Next(utc("2026-11-21T00:00:00"), 5), 5)
}

func TestNewTiming_ExplainsInvalidTimings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cron, zone, want string }{
		{"0 0 31 2 *", "UTC", "never fires"},
		{"0 0 * *", "UTC", "has 4 fields"},
		{"@daily", "UTC", "has 1 fields"},
		{"CRON_TZ=UTC 0 0 * * *", "UTC", "has a time zone or a descriptor"},
		{"*/5 * * * * *", "UTC", "more often than once a minute"},
		{"61 * * * *", "UTC", `cannot be parsed: its minute is "61", which has values from 0 to 59`},
		{"0 2 * JUNY *", "UTC", `its month is "JUNY"`},
		{"0 2 32 * *", "UTC", `its day of the month is "32"`},
		{"99 0 2 * * *", "UTC", "its second is not a number from 0 to 59"},
		{"0 0 * * *", "Europe/Atlantis", "is not a time zone"},
		{"0 0 * * *", "Local", "is not a time zone"},
		{"0 0 * * *", "../../etc/passwd", "is not a time zone"},
	} {
		_, err := schedule.NewTiming(c.cron, c.zone)
		require.ErrorContains(t, err, c.want)
	}
}

func BenchmarkSlots(b *testing.B) {
	timing, err := schedule.NewTiming("* * * * *", "Europe/Berlin")
	require.NoError(b, err)
	now := utc("2026-11-21T00:00:00")
	for b.Loop() {
		timing.Slots(now.Add(-time.Minute), now)
	}
}
