package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// testStatus is the result of the tests of one package.
type testStatus string

// The statuses.
const (
	passed     testStatus = "passed"
	failed     testStatus = "failed"
	notBuilt   testStatus = "not built"  // the code does not compile
	noTests    testStatus = "no tests"   // no test has a name that -run selects
	skipped    testStatus = "skipped"    // all selected tests skipped themselves
	unfinished testStatus = "unfinished" // the budget has passed
)

// testRun is one run of the tests of one package.
type testRun struct {
	root, overlay, pkg, run string
	// all includes the tests that skip themselves under -short.
	all     bool
	timeout time.Duration
	jobs    int
}

// event is one line of "go test -json".
type event struct {
	Action, Test, Output string
}

// do runs the tests. detail names the test that failed, or is the compiler's
// message.
func (t testRun) do(ctx context.Context) (v testStatus, detail string, err error) {
	args := []string{
		"test", "-json", fmt.Sprint("-short=", !t.all), "-failfast", "-vet=off", "-trimpath", "-ldflags=-s -w",
		fmt.Sprint("-p=", t.jobs), "-timeout=" + t.timeout.String(),
	}
	if t.overlay != "" {
		args = append(args, "-overlay="+t.overlay)
	}
	if t.run != "" {
		args = append(args, "-run="+t.run)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+t.pkg)...)
	cmd.Dir = t.root
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	// go test starts a compiler or a test. All of them end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		return unfinished, "", nil
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", "", fmt.Errorf("run go test: %w", err)
	}
	return judge(&out, stderr.String(), err == nil)
}

// judge reads the output of "go test -json" and what it wrote to standard error.
func judge(out io.Reader, stderr string, ok bool) (v testStatus, detail string, err error) {
	var build strings.Builder
	ends := map[string]int{} // how often a test ended so
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // output of a test, without a line break before the event
		}
		switch {
		case e.Action == "build-output":
			build.WriteString(e.Output)
		case e.Action == "build-fail":
			return notBuilt, strings.TrimSpace(build.String()), nil
		case strings.HasPrefix(e.Output, "panic: test timed out"):
			detail = "time limit"
		case e.Action == "fail" && e.Test != "" && detail == "":
			detail = e.Test
		}
		if e.Test != "" {
			ends[e.Action]++
		}
	}
	if err := lines.Err(); err != nil {
		return "", "", fmt.Errorf("read the output of go test: %w", err)
	}
	switch {
	case ok && ends["pass"] > 0:
		return passed, "", nil
	case ok && ends["skip"] > 0:
		return skipped, "", nil
	case ok:
		return noTests, "", nil
	case detail != "":
		return failed, detail, nil
	case ends["run"] == 0:
		return "", "", fmt.Errorf("go test ran no test: %s", strings.TrimSpace(stderr))
	}
	return failed, "the program ended", nil
}
