package resourceid

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResourceID_NamesAreFoundAndAppended(t *testing.T) {
	t.Parallel()
	require.Equal(t, "c", NameAfter("/x/ProtectionContainers/c/y", "protectionContainers"))
	require.Empty(t, NameAfter("/x/protectionContainers", "protectionContainers"))
	require.Equal(t, "j", LastName("/x/BackupJobs/j"))
	require.Equal(t, "j", LastName("j"))
	_, err := Below("/x", "a/b")
	require.EqualError(t, err, `"a/b" is not a valid resource name`)
	path, err := Below("/x", "a", "b")
	require.NoError(t, err)
	require.Equal(t, "/x/a/b", path)
}
