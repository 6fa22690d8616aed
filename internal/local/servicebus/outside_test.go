package servicebus

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// This client shares no code with the Go client, so it finds what other tests assume.
func TestJavaScriptClient_WorksWithTheBroker(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "..", "test", "outside", "servicebus")
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "@azure", "service-bus")); err != nil {
		t.Skip("@azure/service-bus is not installed: run npm ci in test/outside/servicebus")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	b := startBroker(t, Config{Queues: []QueueConfig{
		{Name: "plain"}, {Name: "dedup", DuplicateDetectionWindow: time.Hour},
	}})
	cmd := exec.CommandContext(t.Context(), node, "check.mjs")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "SERVICEBUS_CONNECTION="+b.ConnectionString())
	output, err := cmd.CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err)
	require.Equal(t, []QueueStats{{Name: "plain"}, {Name: "dedup"}}, b.Queues())
}
