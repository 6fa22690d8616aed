package similar_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/similar"
)

func TestDifferences_IsTheLevenshteinDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		one, other string
		want       int
	}{
		{"", "", 0},
		{"vm", "vm", 0},
		{"", "vm", 2},
		{"backup-now", "backup-nwo", 2},
		{"bakup-now", "backup-now", 1},
		{"backup-now", "backup_now", 1},
		{"kitten", "sitting", 3},
		{"abc", "xyz", 3},
	} {
		require.Equal(t, c.want, similar.Differences(c.one, c.other), "%q, %q", c.one, c.other)
		require.Equal(t, c.want, similar.Differences(c.other, c.one), "%q, %q", c.other, c.one)
	}
}
