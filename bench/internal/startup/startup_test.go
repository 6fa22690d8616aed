package startup_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/bench/internal/startup"
)

func TestMeasure_StartsThePackagedProgram(t *testing.T) {
	t.Parallel()
	s, err := startup.Measure(t.Context(), startup.Config{Root: "../../..", Starts: 2, Now: time.Now})
	require.NoError(t, err)
	require.Len(t, s.Took, 2)
	require.Positive(t, s.Took[0])
	require.LessOrEqual(t, s.Took[0], s.Took[1])
	require.Greater(t, s.ProgramBytes, s.ArchiveBytes)
	require.Positive(t, s.ArchiveBytes)
	t.Log(s)
}
