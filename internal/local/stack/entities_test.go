package stack

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus"
)

// bicepEntity is a queue or topic of infra/app/service-bus.bicep: its properties by
// name, as the file spells them.
type bicepEntity map[string]string

// bicepEntities reads the queues and topics of the file by the name of their resource.
func bicepEntities(t *testing.T) map[string]bicepEntity {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "infra", "app", "service-bus.bicep"))
	require.NoError(t, err)
	resource := regexp.MustCompile(`(?ms)^resource (\w+) 'Microsoft\.ServiceBus/namespaces/(?:queues|topics)@.*?^  properties: \{\n(.*?)^  \}`)
	property := regexp.MustCompile(`(?m)^    (\w+): (.+)$`)
	all := map[string]bicepEntity{}
	for _, r := range resource.FindAllStringSubmatch(string(text), -1) {
		all[r[1]] = bicepEntity{}
		for _, p := range property.FindAllStringSubmatch(r[2], -1) {
			all[r[1]][p[1]] = p[2]
		}
	}
	require.Len(t, all, 3, "queues, notices and replies")
	return all
}

// duration reads an ISO 8601 duration of days, hours, minutes or seconds. An absent one
// is zero.
func (e bicepEntity) duration(t *testing.T, name string) time.Duration {
	t.Helper()
	text := strings.Trim(e[name], "'")
	if text == "" {
		return 0
	}
	parts := regexp.MustCompile(`^P(T?)(\d+)([DHMS])$`).FindStringSubmatch(text)
	require.NotNil(t, parts, "%s: %s", name, text)
	require.Equal(t, parts[3] == "D", parts[1] == "", text)
	n, err := strconv.Atoi(parts[2])
	require.NoError(t, err)
	unit := map[string]time.Duration{"D": 24 * time.Hour, "H": time.Hour, "M": time.Minute, "S": time.Second}[parts[3]]
	return time.Duration(n) * unit
}

// flag evaluates a boolean for a queue.
func (e bicepEntity) flag(t *testing.T, name, queue string) bool {
	t.Helper()
	other := regexp.MustCompile(`^queue != '(\w+)'$`).FindStringSubmatch(e[name])
	if other != nil {
		return queue != other[1]
	}
	require.Contains(t, []string{"", "true", "false"}, e[name], name)
	return e[name] == "true"
}

// deliveries returns the maximum delivery count; Azure's default is 10.
func (e bicepEntity) deliveries(t *testing.T) int {
	t.Helper()
	if e["maxDeliveryCount"] == "" {
		return 10
	}
	n, err := strconv.Atoi(e["maxDeliveryCount"])
	require.NoError(t, err)
	return n
}

// window returns the duplicate detection window.
func (e bicepEntity) window(t *testing.T) time.Duration {
	t.Helper()
	if !e.flag(t, "requiresDuplicateDetection", "") {
		return 0
	}
	return e.duration(t, "duplicateDetectionHistoryTimeWindow")
}

func TestQueues_HaveTheirPropertiesInAzure(t *testing.T) {
	t.Parallel()
	infra := bicepEntities(t)
	all := queues(1, []string{"answers"})
	require.Len(t, all, 4)
	for _, q := range all {
		e := infra["queues"]
		if q.Name == "answers" {
			e = infra["replies"]
		}
		require.Equal(t, servicebus.QueueConfig{
			Name:                     q.Name,
			LockDuration:             e.duration(t, "lockDuration"),
			MaxDeliveryCount:         e.deliveries(t),
			DefaultTTL:               e.duration(t, "defaultMessageTimeToLive"),
			DeadLetterOnExpiration:   e.flag(t, "deadLetteringOnMessageExpiration", q.Name),
			DuplicateDetectionWindow: e.window(t),
		}, q)
	}
}

func TestTopics_HaveTheirPropertiesInAzure(t *testing.T) {
	t.Parallel()
	e := bicepEntities(t)["notices"]
	all := topics(1, []string{"notices"})
	require.Len(t, all, 1)
	require.Equal(t, e.duration(t, "defaultMessageTimeToLive"), all[0].DefaultTTL)
	require.Equal(t, e.window(t), all[0].DuplicateDetectionWindow)
	require.Len(t, all[0].Subscriptions, 1)
}

func TestLock_IsDividedBySpeedDownToTheMinimum(t *testing.T) {
	t.Parallel()
	require.Equal(t, 5*time.Minute, lock(1))
	require.Equal(t, 2*time.Minute+30*time.Second, lock(2))
	require.Equal(t, 10*time.Second, lock(1000))
}
