package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli/completion"
	"azbackupflow/internal/client/clienttest"
)

// shellOfUser is a shell in which a user types a line and a tab.
type shellOfUser struct {
	name string
	// driver is a script in testdata/completion, and the program that runs it.
	driver, runs string
	// script is the name of the completion script in the folder of the driver.
	script string
	// needs are the programs without which the test is skipped.
	needs []string
	// linesOnly means that the driver prints the whole line, not the words.
	linesOnly bool
}

func shellsOfUsers() []shellOfUser {
	return []shellOfUser{
		{name: "bash", driver: "bash.zsh", runs: "zsh", script: "script", needs: []string{"bash", "zsh"}, linesOnly: true},
		{name: "zsh", driver: "zsh.zsh", runs: "zsh", script: "_azbackupflow", needs: []string{"zsh"}, linesOnly: true},
		{name: "fish", driver: "fish.fish", runs: "fish", script: "script", needs: []string{"fish"}},
	}
}

// complete types a line and a tab, with the program of a folder. It returns the
// words that the shell offers; of bash and zsh, the word that the line ends with.
func (u shellOfUser) complete(t *testing.T, folder, line string, env ...string) string {
	t.Helper()
	script, err := completion.Script(u.name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, u.script), []byte(script), 0o600))
	driver, err := filepath.Abs(filepath.Join("testdata", "completion", u.driver))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	flag := map[string]string{"zsh": "-f", "fish": "--no-config"}[u.runs]
	cmd := exec.CommandContext(ctx, u.runs, flag, driver)
	cmd.Env = append([]string{"PATH=" + folder + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + folder, "TERM=dumb", "FOLDER=" + folder, "LINE=" + line}, env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", line, out)
	got := strings.TrimRight(string(out), " \n")
	if !u.linesOnly {
		return got
	}
	return got[strings.LastIndex(got, " ")+1:]
}

// inEachShell runs a test in each shell that the machine has.
func inEachShell(t *testing.T, test func(t *testing.T, u shellOfUser)) {
	t.Helper()
	for _, u := range shellsOfUsers() {
		t.Run(u.name, func(t *testing.T) {
			for _, program := range u.needs {
				if _, err := exec.LookPath(program); err != nil {
					t.Skip("needs " + program)
				}
			}
			test(t, u)
		})
	}
}

func TestCompletion_OfTheProgramWorksInEachShell(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and starts shells")
	}
	t.Parallel()
	s := newShell(t)
	for _, name := range []string{"staging", "production"} {
		s.succeeds("context", "add", name, "--url", "https://"+name+".example")
	}
	id := s.start(clienttest.Protect("one", "testshare")).ID
	program := filepath.Join(t.TempDir(), "azbackupflow")
	buildProgram(t, program)
	inEachShell(t, func(t *testing.T, u shellOfUser) {
		folder := t.TempDir()
		require.NoError(t, os.Symlink(program, filepath.Join(folder, "azbackupflow")))
		env := []string{"AZBACKUPFLOW_CONFIG_DIR=" + s.configDir, "AZBACKUPFLOW_URL=" + s.api.URL}
		for line, want := range map[string]string{
			"sch":                             "schedules",
			"schedules nex":                   "next",
			"list --sta":                      "--status",
			"list --status=SucceededW":        "--status=SucceededWithWarnings",
			"list --flow resume":              "resume-protection",
			"flows show track":                "track-job",
			"start backup-now --item-v":       "--item-vm",
			"context use st":                  "staging",
			"--context prod":                  "production",
			"describe " + id[:4]:              id,
			"cancel --reason 'a b' " + id[:6]: id,
			"schedules run ni":                "nightly",
			"list --vault az":                 "azurefilesvault",
		} {
			require.Equal(t, want, u.complete(t, folder, "azbackupflow "+line, env...), line)
		}
	})
}

// The names of Azure's containers contain semicolons, which a user has to quote.
func TestCompletion_OfWordsWithSemicolonsWorksInEachShell(t *testing.T) {
	if testing.Short() {
		t.Skip("starts shells")
	}
	t.Parallel()
	inEachShell(t, func(t *testing.T, u shellOfUser) {
		folder := t.TempDir()
		// The program offers an item, and writes the words that it gets.
		stub := "#!/bin/sh\nprintf '<%s>' \"$@\" >" + folder + "/words\nfor last; do :; done\ncase '/a/VM;v2;vm1' in \"$last\"*) echo '/a/VM;v2;vm1';; esac\n"
		require.NoError(t, os.WriteFile(filepath.Join(folder, "azbackupflow"), []byte(stub), 0o700))
		for line, want := range map[string]struct{ words, escaped string }{
			`list --item /a/V`:                  {"<__complete><list><--item></a/V>", `/a/VM\;v2\;vm1`},
			`list --item /a/VM\;v2\;v`:          {"<__complete><list><--item></a/VM;v2;v>", `/a/VM\;v2\;vm1`},
			`list --item '/a/VM;v2`:             {"<__complete><list><--item></a/VM;v2>", `'/a/VM;v2;vm1'`},
			`list --item "/a/VM;v2`:             {"<__complete><list><--item></a/VM;v2>", `"/a/VM;v2;vm1"`},
			`cancel --reason "it's x" --item /`: {"<__complete><cancel><--reason><it's x><--item></>", `/a/VM\;v2\;vm1`},
		} {
			got := u.complete(t, folder, "azbackupflow "+line)
			if !u.linesOnly {
				want.escaped = "/a/VM;v2;vm1" // fish quotes it when it inserts it
			}
			require.Equal(t, want.escaped, got, line)
			words, err := os.ReadFile(filepath.Join(folder, "words"))
			require.NoError(t, err)
			require.Equal(t, want.words, string(words), line)
		}
	})
}

// Anyone who may name a database chooses a part of the offered words. No shell may run
// or expand it.
func TestCompletion_OfHostileNamesRunsNothingInEachShell(t *testing.T) {
	if testing.Short() {
		t.Skip("starts shells")
	}
	t.Parallel()
	inEachShell(t, func(t *testing.T, u shellOfUser) {
		folder := t.TempDir()
		const name = "/b/`touch>ran`$HOME|\"y\\z"
		require.NoError(t, os.WriteFile(filepath.Join(folder, "offered"), []byte(name+"\n"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "azbackupflow"), []byte("#!/bin/sh\ncat "+folder+"/offered\n"), 0o700))
		for _, line := range []string{`list --item /b/`, `list --item '/b/`, `list --item "/b/`} {
			got := u.complete(t, folder, "azbackupflow "+line)
			if u.linesOnly { // what the shell makes of the word on its line
				cmd := exec.CommandContext(t.Context(), u.name, "-c", "printf %s "+got)
				cmd.Dir = folder
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s: %s: %s", line, got, out)
				got = string(out)
			}
			require.Equal(t, name, got, line)
			require.NoFileExists(t, filepath.Join(folder, "ran"))
		}
	})
}
