//go:build unix

package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
)

// The Functions host may be killed without ending the handler. The handler must
// then end itself.
func TestProgram_EndsWhenItsHostWasKilled(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)

	// The shell stands for the host. It prints the handler's process id.
	host := exec.CommandContext(t.Context(), "sh", "-c", `"$0" & echo $!; wait`, filepath.Join(dist, "handler"))
	host.Env = append(sampleEnvironment(t), customhandler.PortSetting+"="+port)
	stdout, err := host.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, host.Start())
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	handler, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Kill(handler, syscall.SIGKILL) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, out) // ends when both processes have ended
	}()
	require.Eventually(t, func() bool {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
		if err != nil {
			return false
		}
		response, err := http.DefaultClient.Do(request)
		return err == nil && response.Body.Close() == nil
	}, maxWait, 20*time.Millisecond, "the handler does not start")

	require.NoError(t, host.Process.Kill())
	select {
	case <-ended:
	case <-time.After(maxWait):
		require.Fail(t, "the handler lives on")
	}
	_ = host.Wait()
}
