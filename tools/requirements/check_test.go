// Package requirements tests check.sh, which names missing programs.
package requirements_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCheck_NamesWhatIsMissing runs the script with a PATH that holds only the given
// stand-ins for the programs.
func TestCheck_NamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"go":   `case "$2" in CC) echo gcc ;; *) echo go1.99.0 ;; esac`,
		"gcc":  `true`,
		"node": `echo v22.1.0`,
		"npm":  `echo 10.0.0`,
	}
	tests := map[string]struct {
		change  map[string]string // replaces a program; an empty text removes it
		missing []string          // what the output must say
	}{
		"everything is there": {},
		"no Go": {
			change:  map[string]string{"go": ""},
			missing: []string{"go: not found in PATH", "needed: Go 1.26.0 or newer", "https://go.dev/dl/"},
		},
		"an old Go": {
			change:  map[string]string{"go": `case "$2" in CC) echo gcc ;; *) echo go1.20.14 ;; esac`},
			missing: []string{"go: version 1.20.14 is too old", "needed: Go 1.26.0 or newer"},
		},
		"a Go that may not download its successor": {
			change: map[string]string{"go": `
				case "$2" in CC) echo gcc; exit ;; esac
				if [ "${GOTOOLCHAIN:-}" = local ]; then echo go1.24.1; else exit 1; fi`},
			missing: []string{"go: version 1.24.1 is too old"},
		},
		"a release candidate": {
			change: map[string]string{"go": `case "$2" in CC) echo gcc ;; *) echo go1.27rc1 ;; esac`},
		},
		"no C compiler": {
			change:  map[string]string{"gcc": ""},
			missing: []string{"gcc: no C compiler found in PATH", "build-essential", "xcode-select --install"},
		},
		"no Node": {
			change:  map[string]string{"node": "", "npm": ""},
			missing: []string{"node: not found in PATH", "Node.js 20 or newer", "npm: not found in PATH"},
		},
		"an old Node": {
			change:  map[string]string{"node": "echo v18.19.0"},
			missing: []string{"node: version 18.19.0 is too old"},
		},
		"a Node that does not start": {
			change:  map[string]string{"node": "exit 1"},
			missing: []string{"node: version unknown is too old"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir()
			for program, script := range good {
				if changed, ok := test.change[program]; ok {
					script = changed
				}
				if script != "" {
					writeProgram(t, path, program, script)
				}
			}
			linkTools(t, path)

			output, err := run(t, path, "go", "cc", "node", "npm")

			if len(test.missing) == 0 {
				require.NoError(t, err, output)
				assert.Empty(t, output)
				return
			}
			require.Error(t, err)
			for _, text := range test.missing {
				assert.Contains(t, output, text)
			}
			assert.Equal(t, countNeeded(test.missing), strings.Count(output, "needed:"), "only what is missing is listed:\n%s", output)
		})
	}
}

func TestCheck_RejectsAnUnknownProgram(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	linkTools(t, path)

	output, err := run(t, path, "docker")

	require.Error(t, err)
	assert.Contains(t, output, `unknown program "docker": go, cc, node and npm can be checked`)
}

// countNeeded is the number of programs among the texts: each is named with a colon
// after its name.
func countNeeded(texts []string) int {
	count := 0
	for _, text := range texts {
		for _, program := range []string{"go: ", "gcc: ", "node: ", "npm: "} {
			if strings.HasPrefix(text, program) {
				count++
			}
		}
	}
	return count
}

func run(t *testing.T, path string, programs ...string) (string, error) {
	command := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"check.sh"}, programs...)...)
	command.Env = []string{"PATH=" + path}
	output, err := command.CombinedOutput()
	return string(output), err
}

func writeProgram(t *testing.T, folder, name, script string) {
	t.Helper()
	text := "#!/bin/sh\n" + script + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o755))
}

// linkTools links the standard tools that the script uses into folder.
func linkTools(t *testing.T, folder string) {
	t.Helper()
	for _, tool := range []string{"sed", "sort", "head", "dirname"} {
		found, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(found, filepath.Join(folder, tool)))
	}
}
