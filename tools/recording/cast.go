package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// Size of the terminal, and the maximum pause of a recording.
const (
	columns  = 100
	rows     = 28
	maxPause = 900 * time.Millisecond
)

// cast is a recording.
// Source: https://docs.asciinema.org/manual/asciicast/v2/
type cast struct {
	header
	outputs []output
}

type header struct {
	Version int    `json:"version"`
	Width   int    `json:"width"`
	Height  int    `json:"height"`
	Command string `json:"command"`
}

// output is a line that the program wrote, with the time since its start.
type output struct {
	at   time.Duration
	text string
}

// record runs a program and records its standard output. Its standard error, where
// progress is shown, is not recorded.
func record(ctx context.Context, command []string, now func() time.Time) (cast, error) {
	c := cast{header: header{Version: 2, Width: columns, Height: rows, Command: shown(command)}}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	var errors bytes.Buffer
	cmd.Stderr = &errors
	terminal, tty, err := pty.Open()
	if err != nil {
		return c, fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	defer func() { _ = terminal.Close() }()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
		return c, fmt.Errorf("set the size of the pseudo-terminal: %w", err)
	}
	cmd.Stdout = tty
	started := now()
	if err := cmd.Start(); err != nil {
		return c, fmt.Errorf("start %s: %w", command[0], err)
	}
	_ = tty.Close() // the program has its own copy
	if c.outputs, err = readOutputs(terminal, func() time.Duration { return now().Sub(started) }); err != nil {
		return c, err
	}
	if err := cmd.Wait(); err != nil {
		return c, fmt.Errorf("run %s: %w\n%s", c.Command, err, errors.String())
	}
	return c, nil
}

// shown returns the command line as a reader would enter it.
func shown(command []string) string {
	return strings.Join(append([]string{filepath.Base(command[0])}, command[1:]...), " ")
}

// readOutputs reads whole lines until the program closes the terminal. since returns
// the time since the start of the program.
func readOutputs(from io.Reader, since func() time.Duration) ([]output, error) {
	var outputs []output
	last, shown := time.Duration(0), time.Duration(0)
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		passed := since()
		shown += min(passed-last, maxPause)
		last = passed
		if line != "" {
			outputs = append(outputs, output{at: shown, text: line})
		}
		switch {
		// Linux reports EIO after the last line of a closed terminal.
		case errors.Is(err, io.EOF), errors.Is(err, syscall.EIO):
			return outputs, nil
		case err != nil:
			return nil, fmt.Errorf("read the terminal: %w", err)
		}
	}
}

// write writes the recording to a file.
func (c cast) write(path string) error {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(c.header); err != nil {
		return err
	}
	for _, o := range c.outputs {
		if err := lines.Encode([]any{math.Round(o.at.Seconds()*100) / 100, "o", o.text}); err != nil {
			return err
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// readCast reads a recording.
func readCast(path string) (cast, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return cast{}, fmt.Errorf("read the recording: %w", err)
	}
	var c cast
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		if i == 0 {
			if err := json.Unmarshal([]byte(line), &c.header); err != nil || c.Version != 2 {
				return cast{}, fmt.Errorf("%s: line 1 is not the header of an asciicast v2", path)
			}
			continue
		}
		var event []any
		if err := json.Unmarshal([]byte(line), &event); err != nil || len(event) != 3 {
			return cast{}, fmt.Errorf("%s: line %d is not an event: want [seconds, \"o\", text]", path, i+1)
		}
		at, isNumber := event[0].(float64)
		text, isText := event[2].(string)
		if !isNumber || !isText {
			return cast{}, fmt.Errorf("%s: line %d is not an event: want [seconds, \"o\", text]", path, i+1)
		}
		c.outputs = append(c.outputs, output{at: time.Duration(at * float64(time.Second)), text: text})
	}
	return c, nil
}
