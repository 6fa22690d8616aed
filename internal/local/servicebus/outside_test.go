package servicebus

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/filter"
)

// clientFolder has the programs that check the broker with other clients. Those share no
// code with the Go client, so they find what other tests assume.
func clientFolder() string { return filepath.Join("..", "..", "..", "test", "outside", "servicebus") }

// outsideBroker returns a broker with the entities that the programs need.
func outsideBroker(t *testing.T) *Broker {
	t.Helper()
	return startBroker(t, Config{
		Keys: []AccessKey{{Name: "sender", Key: "c2VuZA==", Send: true}, {Name: "listener", Key: "bGlzdGVu", Listen: true}},
		Queues: []QueueConfig{
			{Name: "plain"}, {Name: "dedup", DuplicateDetectionWindow: time.Hour},
		},
		Topics: []TopicConfig{{Name: "topic", Subscriptions: []SubscriptionConfig{
			{Name: "all"},
			{Name: "red", Rules: []RuleConfig{{Name: "color", SQL: "color = 'red'"}}},
			{Name: "mine", Rules: []RuleConfig{{Name: "subject", Correlation: filter.Correlation{Subject: "mine"}}}},
		}}},
	})
}

// runClient runs a program of clientFolder and requires that it leaves no message.
func runClient(t *testing.T, b *Broker, environment []string, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = clientFolder()
	cmd.Env = append(os.Environ(), "SERVICEBUS_CONNECTION="+b.ConnectionString(),
		"SERVICEBUS_SENDER="+b.ConnectionStringOf("sender"), "SERVICEBUS_LISTENER="+b.ConnectionStringOf("listener"))
	cmd.Env = append(cmd.Env, environment...)
	output, err := cmd.CombinedOutput()
	t.Logf("%s", output)
	require.NoError(t, err)
	require.Equal(t, []QueueStats{{Name: "plain"}, {Name: "dedup"}}, b.Queues())
	require.Empty(t, b.Messages("topic/Subscriptions/all"))
}

func TestJavaScriptClient_WorksWithTheBroker(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds and needs Node")
	}
	t.Parallel()
	if _, err := os.Stat(filepath.Join(clientFolder(), "node_modules", "@azure", "service-bus")); err != nil {
		t.Skip("@azure/service-bus is not installed: run npm ci in test/outside/servicebus")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	runClient(t, outsideBroker(t), nil, node, "check.mjs")
}

// The Python client up to version 7.8 uses uAMQP, which is written in C and requires SASL
// MSSBCBS. Debian has it in the packages python3-azure and python3-uamqp.
func TestPythonClient_WorksWithTheBroker(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute and needs Python")
	}
	t.Parallel()
	python, found := pythonWithClient(t)
	if !found {
		t.Skip("the Python client is not installed: run apt-get install python3-azure python3-uamqp")
	}
	b := outsideBroker(t)
	port, certificate := tlsProxy(t, b.Address())
	runClient(t, b, []string{"SERVICEBUS_TLS_PORT=" + port, "SERVICEBUS_TLS_CERT=" + certificate}, python, "check.py")
}

// pythonWithClient returns a Python interpreter that has the client with uAMQP.
func pythonWithClient(t *testing.T) (string, bool) {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import azure.servicebus, uamqp").Run() == nil {
			return python, true
		}
	}
	return "", false
}
