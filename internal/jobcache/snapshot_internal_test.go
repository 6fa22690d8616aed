package jobcache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func TestSnapshot_NextListGoesBackToTheOldestRunningJob(t *testing.T) {
	t.Parallel()
	s := snapshot{Jobs: []Job{
		{Name: "a", Status: "InProgress", Start: noon().Add(-10 * time.Hour)},
		{Name: "b", Status: "Completed", Start: noon().Add(-20 * time.Hour)},
		{Name: "c", Status: "InProgress"},
	}}
	needed := noon().Add(-time.Hour)
	require.Equal(t, noon().Add(-10*time.Hour), s.listSince(noon(), needed))
	s.Jobs = s.Jobs[1:]
	require.Equal(t, needed, s.listSince(noon(), needed))
	s.Jobs = []Job{{Name: "a", Status: "InProgress", Start: noon().Add(-100 * time.Hour)}}
	require.Equal(t, noon().Add(-maxListAge), s.listSince(noon(), needed))
}

// A job that has ended is kept for a time after the first list that showed that.
func TestSnapshot_KeepsEndedJobsForATime(t *testing.T) {
	t.Parallel()
	const keep = 2 * time.Hour
	ended := []Job{{Name: "A", Status: "Completed", Start: noon().Add(-time.Hour)}}
	first := (&snapshot{}).updated(ended, noon().Add(-2*time.Hour), noon(), keep)
	second := first.updated(ended, noon().Add(-2*time.Hour), noon().Add(time.Hour), keep)
	require.Equal(t, noon(), second.Jobs[0].Ended)
	third := second.updated(nil, noon().Add(time.Hour), noon().Add(keep-time.Second), keep)
	require.Len(t, third.Jobs, 1)
	require.Empty(t, third.updated(nil, noon().Add(time.Hour), noon().Add(keep), keep).Jobs)
}
