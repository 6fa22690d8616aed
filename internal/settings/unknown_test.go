package settings_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/settings"
)

func TestFindUnknown_NamesTheNearestSetting(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"AZBACKUPFLOW_ALLOW_DELET":    "AZBACKUPFLOW_ALLOW_DELETE",
		"AZBACKUPFLOW_RESTORE_TARGET": "AZBACKUPFLOW_RESTORE_TARGETS",
		"AZBACKUPFLOW_RESTORETARGETS": "AZBACKUPFLOW_RESTORE_TARGETS",
		"AZBACKUPFLOW_SPEED":          "AZBACKUPFLOW_SPEED_FACTOR",
		"AZBACKUPFLOW_APIROLES":       "AZBACKUPFLOW_API_ROLES",
		"azbackupflow_notices":        "AZBACKUPFLOW_NOTICES",
	} {
		require.Equal(t, []settings.Unknown{{Name: name, Nearest: want}}, settings.FindUnknown(map[string]string{name: "x"}))
	}
}

func TestFindUnknown_AcceptsEverySettingAndOtherPrefixes(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"PATH": "/bin", "AzureWebJobsStorage": "x", "AZBACKUPFLOW_URL": "http://localhost:7071"}
	for _, row := range settings.Table() {
		environment[row.Name] = ""
	}
	require.Empty(t, settings.FindUnknown(environment))
}
