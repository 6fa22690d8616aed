// Package startup measures how soon the packaged program answers after its start,
// and the size of the package.
package startup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/customhandler"
)

// Config holds the number of starts.
type Config struct {
	// Root is the root of the repository.
	Root   string
	Starts int
	Now    func() time.Time
}

// maxStart limits the time of one start.
const maxStart = 10 * time.Second

// Measure packages the program and starts it a number of times, as the Functions host
// does. The program has the settings of local.settings.sample.json, with which it
// sends no request on its own.
func Measure(ctx context.Context, cfg Config) (s work.Startup, err error) {
	if cfg.Root, err = filepath.Abs(cfg.Root); err != nil {
		return s, fmt.Errorf("find the sources: %w", err)
	}
	dir, err := os.MkdirTemp("", "azbackupflow-bench-package-")
	if err != nil {
		return s, fmt.Errorf("create a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	folder, archive := filepath.Join(dir, "dist"), filepath.Join(dir, "dist.zip")
	build := exec.CommandContext(ctx, "go", "run", "-trimpath", "./internal/packaging/cmd", "-folder", folder, "-archive", archive)
	build.Dir, build.Env = cfg.Root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return s, fmt.Errorf("package the program: %w: %s", err, bytes.TrimSpace(out))
	}
	program := filepath.Join(folder, "handler")
	if s.ProgramBytes, err = size(program); err != nil {
		return s, err
	}
	if s.ArchiveBytes, err = size(archive); err != nil {
		return s, err
	}
	environment, err := settings(cfg.Root)
	if err != nil {
		return s, err
	}
	for range cfg.Starts {
		took, err := firstAnswer(ctx, program, environment, cfg.Now)
		if err != nil {
			return s, err
		}
		s.Took = append(s.Took, took)
	}
	slices.Sort(s.Took)
	return s, nil
}

func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("read the size of the package: %w", err)
	}
	return info.Size(), nil
}

// settings returns the environment of this process with the sample settings.
func settings(root string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "local.settings.sample.json"))
	if err != nil {
		return nil, fmt.Errorf("read the sample settings: %w", err)
	}
	var sample struct{ Values map[string]string }
	if err := json.Unmarshal(text, &sample); err != nil {
		return nil, fmt.Errorf("read the sample settings: %w", err)
	}
	environment := os.Environ()
	for name, value := range sample.Values {
		environment = append(environment, name+"="+value)
	}
	return environment, nil
}

// firstAnswer starts the program and returns the time until it answers a request.
func firstAnswer(ctx context.Context, program string, environment []string, now func() time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, maxStart)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(slices.Clone(environment), customhandler.PortSetting+"="+port)
	began := now()
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start the program: %w", err)
	}
	defer func() {
		cancel() // kills it
		_ = cmd.Wait()
	}()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	const pause = 500 * time.Microsecond
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
		if err != nil {
			return 0, fmt.Errorf("call the program: %w", err)
		}
		answer, err := client.Do(req)
		if err == nil {
			took := now().Sub(began)
			return took, answer.Body.Close()
		}
		if harness.Pause(ctx, pause) != nil {
			return 0, fmt.Errorf("the program does not answer within %s: %w", maxStart, err)
		}
	}
}
