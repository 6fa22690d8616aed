package autoprotect

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/datasource"
)

func TestEventSubscription_CoversTheTypesOfRules(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	raw, err := os.ReadFile(filepath.Join(root, "infra", "events.bicep"))
	require.NoError(t, err)
	template := string(raw)
	require.Contains(t, template, "['"+resourceWritten+"']")
	var operations []string
	for _, m := range regexp.MustCompile(`'([\w./]+)/write'`).FindAllStringSubmatch(template, -1) {
		operations = append(operations, m[1])
	}
	announced := []string{datasource.TypeFileShare}
	for _, k := range allKinds() {
		if !slices.Contains(announced, k.source) {
			announced = append(announced, k.source)
		}
	}
	require.ElementsMatch(t, announced, operations)

	m := regexp.MustCompile(`'Microsoft\.Web/sites/functions', functionAppName, '([\w-]+)'`).FindStringSubmatch(template)
	require.NotNil(t, m)
	function, err := os.ReadFile(filepath.Join(root, "functions", m[1], "function.json"))
	require.NoError(t, err)
	require.Contains(t, string(function), `"eventGridTrigger"`)
	require.Contains(t, template, "eventDeliverySchema: 'EventGridSchema'")
}
