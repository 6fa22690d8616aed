package e2e

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// TestDocs_CurlCommandsWork runs the commands of docs/how-to/send-requests.md and
// docs/http-api.md unchanged, except for the port and the operation ID.
func TestDocs_CurlCommandsWork(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed})
	run := func(script string) string {
		script = strings.ReplaceAll(script, "http://127.0.0.1:7071", l.URL())
		cmd := exec.CommandContext(t.Context(), "bash", "-e", "-u", "-o", "pipefail", "-c", script)
		cmd.Dir = "../.."
		output, err := cmd.CombinedOutput()
		require.NoErrorf(t, err, "%s\n%s", script, output)
		return string(output)
	}

	said := run(curlLines(t, "docs/how-to/send-requests.md", "operations:validate")[0])
	require.Contains(t, said, `"ok": true`)
	require.Contains(t, said, `"wouldMake"`)
	require.Contains(t, said, "Retry-After: ")
	require.Contains(t, said, `"events"`)
	require.Contains(t, said, `"accepted"`)
	shown := regexp.MustCompile(`/operations/([a-z2-7]{26})`)
	id := regexp.MustCompile(`"id": "([a-z2-7]{26})"`).FindStringSubmatch(said)[1]
	require.Equal(t, api.Succeeded, l.succeeds(id).Status)
	require.Regexp(t, `"cancelRequested": true|"status": "Canceled"`, said, "the canceled operation had not ended")
	require.Contains(t, said, `"operations": [`)
	require.Eventually(t, func() bool {
		var page api.OperationPage
		res := l.call(http.MethodGet, "/operations?label="+url.QueryEscape("reason=upgrade"), nil, &page)
		return res.StatusCode == http.StatusOK && len(page.Operations) == 3
	}, maxWait, 50*time.Millisecond, "the operations of the bulk")

	// Every other block with curl runs in the order of the page, with the
	// operation above.
	blocks := curlLines(t, "docs/http-api.md", "curl ")
	require.Greater(t, len(blocks), 5)
	for _, block := range blocks {
		said := run("API=" + l.URL() + "/api\nRESOURCE_ID=" + demoAccountID() + "\n" + shown.ReplaceAllString(block, "/operations/"+id))
		require.Regexp(t, `\{`, said, block)
		for _, refused := range []string{"no-such-route", "invalid-request", "operation-not-found", "unavailable"} {
			require.NotContains(t, said, refused, block)
		}
	}
}

// curlLines returns the shell blocks of a page that contain a text.
func curlLines(t *testing.T, page, text string) (blocks []string) {
	t.Helper()
	raw, err := os.ReadFile("../../" + page)
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(raw, -1) {
		if strings.Contains(string(m[1]), text) {
			blocks = append(blocks, string(m[1]))
		}
	}
	require.NotEmpty(t, blocks, page)
	return blocks
}

// demoAccountID returns the resource ID of the storage account of the examples.
func demoAccountID() string {
	world := armsim.DemoWorld()
	return world.StorageAccounts[0].ID()
}
