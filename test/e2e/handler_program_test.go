package e2e

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
)

// maxStart limits the time from the start of the handler program to its first
// answer. Each cold start of the Functions app waits for it.
const maxStart = 100 * time.Millisecond

// BenchmarkHandlerStart measures that time for the packaged program.
func BenchmarkHandlerStart(b *testing.B) {
	environment := sampleEnvironment(b)
	var total, worst time.Duration
	for b.Loop() {
		took := firstAnswer(b, environment)
		total += took
		worst = max(worst, took)
	}
	b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), "ms/start")
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms/worst")
}

// startsCompared is the number of starts with and without a setting.
const startsCompared = 40

// BenchmarkHandlerStart_WithTheDashboard compares the start with and without the
// dashboard by the medians of 40 starts each, which alternate, as does their order. The
// pages are made at their first request, so the ratio must be about 1.
func BenchmarkHandlerStart_WithTheDashboard(b *testing.B) {
	signedIn := append(sampleEnvironment(b), "AZBACKUPFLOW_API_ROLES=true", "WEBSITE_AUTH_ENABLED=True")
	environments := [2][]string{append(slices.Clone(signedIn), "AZBACKUPFLOW_DASHBOARD=false"), append(slices.Clone(signedIn), "AZBACKUPFLOW_DASHBOARD=true")}
	for b.Loop() {
		var took [2][]time.Duration
		for n := range 2 * startsCompared {
			i := (n + n/2) % 2 // off, on, on, off
			took[i] = append(took[i], firstAnswer(b, environments[i]))
		}
		for i := range took {
			slices.Sort(took[i])
		}
		off, on := took[0][startsCompared/2], took[1][startsCompared/2]
		b.ReportMetric(float64(off.Microseconds())/1000, "ms/start")
		b.ReportMetric(float64(on.Microseconds())/1000, "ms/start-with-dashboard")
		b.ReportMetric(float64(on)/float64(off), "ratio")
	}
}

// A start may take long on a machine that is busy with other tests. One fast
// start proves that the program itself is fast.
func TestProgram_StartsQuickly(t *testing.T) {
	t.Parallel()
	environment := sampleEnvironment(t)
	var took []time.Duration
	for range 20 {
		took = append(took, firstAnswer(t, environment))
		if took[len(took)-1] < maxStart {
			t.Logf("first answer after %v", took)
			return
		}
	}
	require.Fail(t, "no start is below "+maxStart.String(), "%v", took)
}

// firstAnswer starts the packaged program as the host does. It returns the time
// from before the start until GET / is answered.
func firstAnswer(t testing.TB, environment []string) time.Duration {
	t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), maxWait)
	defer cancel()
	program := exec.CommandContext(ctx, filepath.Join(dist, "handler"))
	program.Env = append(environment, customhandler.PortSetting+"="+port)
	var complaint bytes.Buffer
	program.Stderr = &complaint
	begin := time.Now()
	require.NoError(t, program.Start())
	var exit error
	ended := make(chan struct{})
	go func() { exit = program.Wait(); close(ended) }()
	defer func() {
		_ = program.Process.Kill()
		<-ended
	}()
	// Each start uses a fresh connection.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	retry := time.NewTicker(500 * time.Microsecond)
	defer retry.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
		require.NoError(t, err)
		res, err := client.Do(req)
		if err == nil {
			took := time.Since(begin)
			require.NoError(t, res.Body.Close())
			return took
		}
		select {
		case <-ended:
			require.Fail(t, "the program has ended", "%v: %s", exit, complaint.String())
		case <-ctx.Done():
			require.Fail(t, "the program does not answer")
		case <-retry.C:
		}
	}
}

// sampleEnvironment returns the environment of this process with the sample of
// local settings. With these, the program sends no request on its own.
func sampleEnvironment(t testing.TB) []string {
	t.Helper()
	environment := os.Environ()
	for name, value := range sampleSettings(t) {
		environment = append(environment, name+"="+value)
	}
	return environment
}

// sampleSettings reads local.settings.sample.json.
func sampleSettings(t testing.TB) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("../../local.settings.sample.json")
	require.NoError(t, err)
	var sample struct{ Values map[string]string }
	require.NoError(t, json.Unmarshal(raw, &sample))
	return sample.Values
}

// foreign lists packages and modules that must not be in the deployed program:
// stand-ins for Azure, and test libraries.
func foreign(path string) bool {
	for _, prefix := range []string{
		"azbackupflow/internal/local", "azbackupflow/internal/packaging", "azbackupflow/test", "azbackupflow/cmd",
		"testing", "net/http/httptest",
		"github.com/stretchr/testify", "github.com/google/go-cmp", "github.com/getkin/kin-openapi", "gopkg.in/yaml.v3",
		"github.com/alecthomas/kong", "github.com/schollz/progressbar", "github.com/jedib0t/go-pretty",
	} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return true
		}
	}
	return strings.HasSuffix(path, "/memory") || strings.HasSuffix(path, "test") && strings.HasPrefix(path, "azbackupflow/")
}

func TestProgram_LinksNoStandInOrTestCode(t *testing.T) {
	t.Parallel()
	linked := packagesOf(t, "./functions")
	require.Contains(t, linked, "azbackupflow/internal/engine")
	for _, path := range linked {
		require.False(t, foreign(path), "%s is part of the program", path)
	}
	t.Logf("the program has %d packages", len(linked))

	// The same check finds them in a package that does import them.
	var found []string
	for _, path := range packagesOf(t, "./internal/local/stack") {
		if foreign(path) {
			found = append(found, path)
		}
	}
	require.Contains(t, found, "azbackupflow/internal/local/armsim")
}

// The build information of the packaged file confirms the list.
func TestPackage_ListsNoTestModule(t *testing.T) {
	t.Parallel()
	info, err := buildinfo.ReadFile(filepath.Join(dist, "handler"))
	require.NoError(t, err)
	require.Equal(t, "azbackupflow/functions", info.Path)
	require.NotEmpty(t, info.Deps)
	for _, m := range info.Deps {
		require.False(t, foreign(m.Path), "%s is part of the program", m.Path)
	}
	for _, s := range info.Settings {
		if s.Key == "CGO_ENABLED" {
			require.Equal(t, strconv.Itoa(0), s.Value, "Azure's image need not have the C library of this machine")
		}
	}
}

func packagesOf(t *testing.T, path string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", path)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}
