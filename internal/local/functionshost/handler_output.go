package functionshost

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// Streams of a HandlerLine.
const (
	// StreamStdout is the handler's standard output.
	StreamStdout = "stdout"
	// StreamStderr is the handler's standard error.
	StreamStderr = "stderr"
	// StreamLogs is for the Logs of a response.
	StreamLogs = "logs"
)

// maxLine limits a line of output, in bytes. A longer line is split.
const maxLine = 1 << 20

// HandlerLine is one line of the handler's output.
type HandlerLine struct {
	// Level is the host's log level: Information, and for stderr Error, or Warning
	// if the line contains "warn".
	Level slog.Level
	// Stream is one of the Stream constants.
	Stream string
	// Text is the line without its end.
	Text string
}

// lineWriter splits a stream into lines.
type lineWriter struct {
	stream string
	emit   func(HandlerLine)

	mu      sync.Mutex
	pending []byte
}

// Write emits the complete lines of the output.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, p...)
	for {
		end := bytes.IndexByte(w.pending, '\n')
		if end < 0 {
			if len(w.pending) < maxLine {
				return len(p), nil
			}
			end = len(w.pending)
		}
		w.line(w.pending[:end])
		w.pending = w.pending[min(end+1, len(w.pending)):]
	}
}

// flush emits the last line of the stream, if it has no end.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.pending) > 0 {
		w.line(w.pending)
		w.pending = nil
	}
}

func (w *lineWriter) line(text []byte) {
	line := HandlerLine{Stream: w.stream, Text: strings.TrimSuffix(string(text), "\r")}
	line.Level = slog.LevelInfo
	if w.stream == StreamStderr {
		line.Level = slog.LevelError
		if strings.Contains(strings.ToLower(line.Text), "warn") {
			line.Level = slog.LevelWarn
		}
	}
	w.emit(line)
}
