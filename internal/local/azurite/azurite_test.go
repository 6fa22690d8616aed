package azurite_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/azurite"
)

const row = `{"PartitionKey":"p","RowKey":"r","Status":"Running"}`

func start(t *testing.T, cfg azurite.Config) *azurite.Server {
	t.Helper()
	s, err := azurite.New(t.Context(), cfg)
	if errors.Is(err, azurite.ErrNotInstalled) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })
	return s
}

func table(t *testing.T, connection string) *aztables.Client {
	t.Helper()
	service, err := aztables.NewServiceClientFromConnectionString(connection, nil)
	require.NoError(t, err)
	return service.NewClient("operations")
}

func TestAzurite_TablesClientWritesAndReads(t *testing.T) {
	t.Parallel()
	s := start(t, azurite.Config{})
	operations := table(t, s.ConnectionString())

	_, err := operations.CreateTable(t.Context(), nil)
	require.NoError(t, err)
	_, err = operations.AddEntity(t.Context(), []byte(row), nil)
	require.NoError(t, err)
	got, err := operations.GetEntity(t.Context(), "p", "r", nil)
	require.NoError(t, err)
	require.Contains(t, string(got.Value), `"Status":"Running"`)

	_, err = operations.AddEntity(t.Context(), []byte(row), nil)
	var rejected *azcore.ResponseError
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, "EntityAlreadyExists", rejected.ErrorCode)
}

func TestAzurite_RejectsAnotherKey(t *testing.T) {
	t.Parallel()
	s := start(t, azurite.Config{})
	other := start(t, azurite.Config{})
	require.NotEqual(t, other.Endpoint(), s.Endpoint())

	_, key, _ := strings.Cut(other.ConnectionString(), "AccountKey=")
	key, _, _ = strings.Cut(key, ";")
	head, _, _ := strings.Cut(s.ConnectionString(), "AccountKey=")
	stolen := head + "AccountKey=" + key + ";TableEndpoint=" + s.Endpoint()

	_, err := table(t, stolen).CreateTable(t.Context(), nil)
	var rejected *azcore.ResponseError
	require.ErrorAs(t, err, &rejected)
	require.Equal(t, 403, rejected.StatusCode)
}

func TestAzurite_KeepsRowsInItsFolder(t *testing.T) {
	t.Parallel()
	cfg := azurite.Config{Dir: filepath.Join(t.TempDir(), "tables")}
	first := start(t, cfg)
	operations := table(t, first.ConnectionString())
	_, err := operations.CreateTable(t.Context(), nil)
	require.NoError(t, err)
	_, err = operations.AddEntity(t.Context(), []byte(row), nil)
	require.NoError(t, err)
	require.NoError(t, first.Stop())
	require.NoError(t, first.Stop(), "Stop may be called more than once")

	second := start(t, cfg)
	_, err = table(t, second.ConnectionString()).GetEntity(t.Context(), "p", "r", nil)
	require.NoError(t, err)
}

func TestAzurite_ListensOnTheConfiguredPort(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	s := start(t, azurite.Config{Port: port})
	where, err := url.Parse(s.Endpoint())
	require.NoError(t, err)
	require.Equal(t, (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String(), where.Host)
}

func TestAzurite_ErrorNamesAPortInUse(t *testing.T) {
	t.Parallel()
	first := start(t, azurite.Config{})
	where, err := url.Parse(first.Endpoint())
	require.NoError(t, err)
	address, err := net.ResolveTCPAddr("tcp", where.Host)
	require.NoError(t, err)

	_, err = azurite.New(t.Context(), azurite.Config{Port: address.Port})
	require.ErrorContains(t, err, "EADDRINUSE")
}

func TestAzurite_StopsWithItsContext(t *testing.T) {
	t.Parallel()
	start(t, azurite.Config{}) // This skips the test if Azurite is missing.
	ctx, cancel := context.WithCancel(t.Context())
	s, err := azurite.New(ctx, azurite.Config{})
	require.NoError(t, err)
	cancel()
	<-s.Done()
	require.NoError(t, s.Stop(), "an ended context is a clean stop")
}

// orphanDir makes this test binary a parent that never stops its Azurite.
const orphanDir = "AZBACKUPFLOW_TEST_ORPHAN_DIR"

func TestAzurite_StopsWithItsKilledParentAndKeepsEveryRow(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(orphanDir); dir != "" {
		beTheParent(t, dir)
		return
	}
	if runtime.GOOS == "windows" {
		t.Skip("on Windows, the standard output of a child stays open until its children end")
	}
	start(t, azurite.Config{}) // This skips the test if Azurite is missing.
	dir := t.TempDir()
	parent := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	parent.Env = append(os.Environ(), orphanDir+"="+dir)
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())

	var endpoint string
	reader := bufio.NewReader(out)
	for endpoint == "" {
		line, err := reader.ReadString('\n')
		require.NoError(t, err, "the parent ended before its row was written")
		if rest, ok := strings.CutPrefix(line, "endpoint "); ok {
			endpoint = strings.TrimSpace(rest)
		}
	}
	require.NoError(t, parent.Process.Kill())
	_, _ = io.Copy(io.Discard, reader)
	require.Error(t, parent.Wait())

	where, err := url.Parse(endpoint)
	require.NoError(t, err)
	dialer := net.Dialer{Timeout: time.Second}
	require.Eventually(t, func() bool {
		c, err := dialer.DialContext(t.Context(), "tcp", where.Host)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}, 30*time.Second, 20*time.Millisecond, "azurite outlived its parent")

	require.Eventually(t, func() bool {
		s, err := azurite.New(t.Context(), azurite.Config{Dir: dir})
		if err != nil {
			return false
		}
		_, err = table(t, s.ConnectionString()).GetEntity(t.Context(), "p", "r", nil)
		return s.Stop() == nil && err == nil
	}, 30*time.Second, 20*time.Millisecond, "the row is lost")
}

func beTheParent(t *testing.T, dir string) {
	t.Helper()
	s, err := azurite.New(t.Context(), azurite.Config{Dir: dir})
	require.NoError(t, err)
	operations := table(t, s.ConnectionString())
	_, err = operations.CreateTable(t.Context(), nil)
	require.NoError(t, err)
	_, err = operations.AddEntity(t.Context(), []byte(row), nil)
	require.NoError(t, err)
	_, err = os.Stdout.WriteString("endpoint " + s.Endpoint() + "\n")
	require.NoError(t, err)
	<-s.Done()
}

func freePort(t *testing.T) int {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	address, ok := l.Addr().(*net.TCPAddr)
	require.True(t, ok)
	return address.Port
}
