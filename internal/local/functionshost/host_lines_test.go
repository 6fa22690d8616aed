package functionshost

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostLines collects lines.
type hostLines struct {
	mu    sync.Mutex
	lines []HostLine
}

func (l *hostLines) add(line HostLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

// texts returns the texts of the lines of a category.
func (l *hostLines) texts(category string) (texts []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.HasPrefix(line.Category, category) {
			texts = append(texts, line.Text)
		}
	}
	return texts
}

func TestHostLines_AreThoseOfTheRealHostUnlessHostJSONDropsThem(t *testing.T) {
	t.Parallel()
	deployed, err := os.ReadFile(filepath.Join("..", "..", "..", "host.json"))
	require.NoError(t, err)
	fails := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	tests := map[string]struct {
		hostJSON      string
		script        http.HandlerFunc
		bus, function int
	}{
		"no levels":              {plainHostJSON, succeed, 7, 3},
		"no levels, a failure":   {plainHostJSON, fails, 5, 3},
		"as deployed":            {string(deployed), succeed, 0, 0},
		"as deployed, a failure": {string(deployed), fails, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := &hostLines{}
			h := newIdleHost(t, nil, test.script, func(c *Config) {
				write(t, filepath.Join(c.Root, "host.json"), test.hostJSON)
				c.HostLines = lines.add
			})
			f := newFakeReceiver(message("m1"))
			stop := runBusTrigger(t, h, f)
			eventually(t, func() bool { return len(f.notes()) == 1 }, "the message is settled")
			stop()
			h.emit(HandlerLine{Level: slog.LevelInfo, Stream: StreamStdout, Text: `{"msg":"operation saved"}`})

			require.Len(t, lines.texts(categoryBus), test.bus)
			require.Len(t, lines.texts(categoryFunction), test.function)
			require.Len(t, lines.texts(categoryHandler), 1, "the handler's output is always logged")
			for _, text := range lines.texts("") {
				require.NotContains(t, text, "{lock}")
			}
		})
	}
}

func TestHostLines_LongestPrefixOfTheCategoryDecides(t *testing.T) {
	t.Parallel()
	levels, err := parseLevels(map[string]string{"default": "Warning", "Function": "Error", "Function.run-step": "debug", "Azure": "None"})
	require.NoError(t, err)
	for _, test := range []struct {
		category string
		level    slog.Level
		want     bool
	}{
		{"Function.run-step", slog.LevelDebug, true},
		{"Function.sweep", slog.LevelWarn, false},
		{"Function.sweep", slog.LevelError, true},
		{"Azure.Core", slog.LevelError, false},
		{"Host.Results", slog.LevelInfo, false},
		{"Host.Results", slog.LevelWarn, true},
	} {
		require.Equal(t, test.want, writes(levels, HostLine{Category: test.category, Level: test.level}), "%s at %s", test.category, test.level)
	}

	_, err = parseLevels(map[string]string{"Function": "Loud"})
	require.EqualError(t, err, `logging.logLevel.Function is "Loud"; set Trace, Debug, Information, Warning, Error, Critical or None`)
	defaults, err := parseLevels(nil)
	require.NoError(t, err)
	require.True(t, writes(defaults, HostLine{Category: "Function.sweep", Level: slog.LevelInfo}))
}
