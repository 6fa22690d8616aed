package settings_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/settings"
)

func TestRead_TrimsTheEntriesOfLists(t *testing.T) {
	t.Parallel()
	s, err := settings.Read(map[string]string{
		"AZBACKUPFLOW_REPLY_QUEUES": "answers, more , ", "AZBACKUPFLOW_RESTORE_TARGETS": " https://a.blob.core.windows.net/b,\n/subscriptions/s/x",
		"AZBACKUPFLOW_VAULTS": "a, b", "AZBACKUPFLOW_ARM_TRUSTED_HOSTS": "", "AZBACKUPFLOW_GUARDED_FLOWS": "stop-protection , suspend-protection",
	})
	require.NoError(t, err)
	require.Equal(t, []string{"answers", "more"}, s.ReplyQueues)
	require.Equal(t, []string{"https://a.blob.core.windows.net/b", "/subscriptions/s/x"}, s.RestoreTargets)
	require.Equal(t, []string{"a", "b"}, s.Vaults)
	require.Equal(t, []string{"stop-protection", "suspend-protection"}, s.GuardedFlows)
	require.Empty(t, s.ARMTrustedHosts)
	require.Equal(t, 90*24*time.Hour, s.Retention())
}

func TestRead_NamesTheSettingWithAWrongValue(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{
		"AZBACKUPFLOW_CLOUD": {"moon"}, "AZBACKUPFLOW_SPEED_FACTOR": {"0.5"}, "AZBACKUPFLOW_RETENTION": {"P1H", "23h", "0s", "soon"},
		"AZBACKUPFLOW_STARTS_PER_ITEM": {"-1"}, "AZBACKUPFLOW_NOTICES": {"steps", "Steps", "REQUESTS"}, "AZBACKUPFLOW_REPLY_QUEUES": {"https://x"},
	} {
		for _, value := range values {
			_, err := settings.Read(map[string]string{name: value})
			require.ErrorContains(t, err, name+" ", value)
			require.ErrorContains(t, err, "; set ", value)
		}
	}
}

func TestSignInUnchecked_BelievesThePlatformOrTheOperator(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		roles, platform, checked string
		trusted                  bool
	}{
		{"false", "", "", true},
		{"false", "False", "", true},
		{"true", "True", "", true},
		{"true", "true", "false", true},
		{"true", "", "", false},
		{"true", "", "true", true},
		{"true", "False", "", false},
		{"true", "False", "true", false}, // the platform knows better
		{"true", "perhaps", "", false},
	} {
		s, err := settings.Read(map[string]string{
			"AZBACKUPFLOW_API_ROLES": c.roles, "WEBSITE_AUTH_ENABLED": c.platform, "AZBACKUPFLOW_APP_SERVICE_AUTH_CHECKED": c.checked,
		})
		require.NoError(t, err)
		err = s.SignInUnchecked()
		if c.trusted {
			require.NoError(t, err, "%+v", c)
			continue
		}
		require.ErrorContains(t, err, "AZBACKUPFLOW_API_ROLES is true", "%+v", c)
		require.ErrorContains(t, err, "WEBSITE_AUTH_ENABLED")
	}
}
