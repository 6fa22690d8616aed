package settings_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/settings"
)

func TestListsMayBeWrittenWithSpaces(t *testing.T) {
	t.Parallel()
	s, err := settings.Read(map[string]string{
		"AZBACKUPFLOW_REPLY_QUEUES": "answers, more , ", "AZBACKUPFLOW_RESTORE_TARGETS": " https://a.blob.core.windows.net/b,\n/subscriptions/s/x",
		"AZBACKUPFLOW_VAULTS": "a, b", "AZBACKUPFLOW_ARM_TRUSTED_HOSTS": "",
	})
	require.NoError(t, err)
	require.Equal(t, []string{"answers", "more"}, s.ReplyQueues)
	require.Equal(t, []string{"https://a.blob.core.windows.net/b", "/subscriptions/s/x"}, s.RestoreTargets)
	require.Equal(t, []string{"a", "b"}, s.Vaults)
	require.Empty(t, s.ARMTrustedHosts)
}
