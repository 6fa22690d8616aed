package e2e

import (
	"bytes"
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/preflight"
)

// TestPreflight_NamesTheMissingPermission runs the preflight of the deployed
// program with its real bus, tables and Azure Resource Manager. It is ready,
// and names each permission that the test removes.
func TestPreflight_NamesTheMissingPermission(t *testing.T) {
	t.Parallel()
	l := startInTurn(t, stack.Config{SpeedFactor: 60, Settings: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "", "SweepSchedule": "0 0 0 1 1 *"}})
	var report preflight.Report
	require.Equal(t, http.StatusOK, l.call(http.MethodGet, "/preflight", nil, &report).StatusCode)
	require.True(t, report.OK, "%+v", report.Findings)

	const action = "Microsoft.DataProtection/backupVaults/backupJobs/read"
	giveBack := l.ARM.DenyAction(action)
	found := l.wrong()
	giveBack()
	require.Len(t, found, 1)
	require.Equal(t, []string{action}, found[0].Missing)
	require.Contains(t, found[0].Do, "azbackupflow Reader")

	l.Tables.SetAvailable(false)
	found = l.wrong()
	l.Tables.SetAvailable(true)
	require.Len(t, found, 1)
	require.Equal(t, "tables", found[0].Check)

	l.Broker.SetAvailable(false)
	found = l.wrong()
	l.Broker.SetAvailable(true)
	var queues []string
	for _, f := range found {
		require.Equal(t, "bus", f.Check)
		queues = append(queues, f.Subject)
	}
	slices.Sort(queues)
	require.Equal(t, []string{"rejected", "requests", "steps"}, queues)
	require.Empty(t, l.Broker.Messages("steps"), "a preflight sends nothing")
}

// TestPreflight_NamesAMisspeltSetting starts the deployed program with one.
func TestPreflight_NamesAMisspeltSetting(t *testing.T) {
	t.Parallel()
	l := start(t, stack.Config{SpeedFactor: 60, Settings: map[string]string{"AZBACKUPFLOW_RESTORE_TARGET": demoAccount}})
	found := l.wrong()
	require.Len(t, found, 1)
	require.Equal(t, "AZBACKUPFLOW_RESTORE_TARGET", found[0].Subject)
	require.Contains(t, found[0].Do, "AZBACKUPFLOW_RESTORE_TARGETS")
	l.says(`"setting":"AZBACKUPFLOW_RESTORE_TARGET","nearest":"AZBACKUPFLOW_RESTORE_TARGETS"`)
}

// wrong returns the failed findings of a preflight.
func (l *local) wrong() (found []preflight.Finding) {
	l.t.Helper()
	var report preflight.Report
	l.call(http.MethodGet, "/preflight", nil, &report)
	for _, f := range report.Findings {
		if !f.OK {
			found = append(found, f)
		}
	}
	return found
}

// TestProgram_NamesTheInvalidSetting removes a setting without a default, or
// sets an invalid value. The program does not start, and names exactly that
// setting where the host shows it.
func TestProgram_NamesTheInvalidSetting(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ value, want string }{
		"ServiceBusConnection":           {"", "ServiceBusConnection"},
		"AzureWebJobsStorage":            {"", "AzureWebJobsStorage"},
		"AZBACKUPFLOW_CLOUD":             {"moon", "AZBACKUPFLOW_CLOUD"},
		"AZBACKUPFLOW_SPEED_FACTOR":      {"0", "AZBACKUPFLOW_SPEED_FACTOR"},
		customhandler.PortSetting:        {"", customhandler.PortSetting},
		"AZBACKUPFLOW_ARM_ENDPOINT":      {"http://example.org", "azure resource manager: endpoint"},
		"AZBACKUPFLOW_TABLE_PREFIX":      {"1", "table prefix"},
		"AZBACKUPFLOW_ALLOW_DELETE":      {"perhaps", "AllowDelete"},
		"AZBACKUPFLOW_ARM_TRUSTED_HOSTS": {"https://host", "https://host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), maxWait)
			defer cancel()
			program := exec.CommandContext(ctx, filepath.Join(dist, "handler"))
			program.Env = append(sampleEnvironment(t), customhandler.PortSetting+"=0", name+"="+c.value)
			var complaint bytes.Buffer
			program.Stderr = &complaint
			require.Error(t, program.Run())
			require.Contains(t, complaint.String(), c.want)
			require.Equal(t, 1, strings.Count(strings.TrimSpace(complaint.String()), "\n")+1, "one line: %s", complaint.String())
		})
	}
}
