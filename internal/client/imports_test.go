package client_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The command line links the client. Storage, engine, handlers and the Azure SDK
// must not come with it.
func TestClient_ImportsOnlyPackageAPI(t *testing.T) {
	t.Parallel()
	list, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"azbackupflow/internal/api", "azbackupflow/internal/client"}, strings.Fields(string(list)))
}
