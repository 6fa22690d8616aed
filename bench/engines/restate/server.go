package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"azbackupflow/bench/internal/harness"
)

const (
	// defaults sends no usage data, and writes no log. Everything else is as the
	// server has it.
	defaults = `disable-telemetry = true
log-filter = "off"
`
	// tuned has a partition for each of two cores in place of 24, less memory for
	// caches, one log on this node without replication, and, as the tuned sqlite
	// files, commits that a crash of the process cannot lose, but one of the system
	// can. An invocation that waits is suspended soon, which halves the peak of memory.
	tuned = defaults + `default-num-partitions = 2
rocksdb-total-memory-size = "128.0 MiB"
[worker.invoker]
inactivity-timeout = "500ms"
[bifrost]
default-provider = "local"
[bifrost.local]
rocksdb-disable-wal-fsync = true
`
)

// node is the name of the server, which is also the name of its folder.
const node = "bench"

// server is a running Restate server. It listens on Unix sockets in its folder.
type server struct {
	command *exec.Cmd
	folder  string
}

// startServer starts a server with the given configuration that stores in a folder.
func startServer(ctx context.Context, dir, configuration string) (*server, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "restate.toml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		return nil, fmt.Errorf("configure Restate: %w", err)
	}
	// The server ends with this process; see endWithParent.
	command := exec.CommandContext(context.WithoutCancel(ctx), program, "--no-logo", "--config-file", file, "--base-dir", filepath.Join(dir, "restate"), "--node-name", node, "--listen-mode", "unix")
	endWithParent(command)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start Restate: %w", err)
	}
	return &server{command: command, folder: filepath.Join(dir, "restate", node)}, nil
}

// find returns the path of the server's program, which `make deps` installs.
func find() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find Restate: %w", err)
	}
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	installed := filepath.Join("bench", "engines", "restate", "node_modules", "@restatedev", "restate-server-"+runtime.GOOS+"-"+arch, "bin", "restate-server")
	for {
		path := filepath.Join(dir, installed)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the Restate server is not installed; run make deps")
		}
		dir = parent
	}
}

// client returns a client of a socket of the server.
func (s *server) client(socket string) *http.Client {
	dialer := net.Dialer{}
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", filepath.Join(s.folder, socket))
		},
		MaxIdleConnsPerHost: harness.Concurrency,
	}}
}

// register waits until the server is ready, and registers the address that serves
// the steps.
func (s *server) register(ctx context.Context, address string) error {
	body, err := json.Marshal(map[string]string{"uri": address})
	if err != nil {
		return fmt.Errorf("register with Restate: %w", err)
	}
	admin := s.client("admin.sock")
	defer admin.CloseIdleConnections()
	const pause = 10 * time.Millisecond
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://restate/deployments", bytes.NewReader(body))
		if err != nil {
			return fmt.Errorf("register with Restate: %w", err)
		}
		req.Header.Set("Content-Type", "application/json")
		answer, err := admin.Do(req)
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusCreated {
				return nil
			}
			err = fmt.Errorf("the server answered %s", answer.Status)
		}
		if waited := harness.Pause(ctx, pause); waited != nil {
			return fmt.Errorf("register with Restate: %w", err)
		}
	}
}

// stop ends the server at once: its data are discarded.
func (s *server) stop() error {
	if err := s.command.Process.Kill(); err != nil {
		return fmt.Errorf("stop Restate: %w", err)
	}
	_ = s.command.Wait() // It was killed.
	return nil
}
