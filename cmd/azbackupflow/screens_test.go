package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// screenWidths are the widths of the terminals.
func screenWidths() []int { return []int{60, 80, 120, 200} }

// screenHint explains how to add a screen.
const screenHint = `command %q has no screen. Add it to screens() with a function that prepares the app
and returns the command's arguments; then run: go test ./cmd/azbackupflow -run TestScreens -update`

// screens returns, by command, how to prepare an app, and the arguments.
func screens() map[string]func(*shell) []string {
	operationScreen := func(command string) func(*shell) []string {
		return func(s *shell) []string { return []string{command, s.waiting()} }
	}
	fixed := func(args ...string) func(*shell) []string { return func(*shell) []string { return args } }
	return map[string]func(*shell) []string{
		"start": func(s *shell) []string {
			return []string{"start", "protect-file-share", "-f", file(s.t, `{"key":"nightly","parameters":`+parametersOfTestshare+`}`)}
		},
		"validate": func(s *shell) []string {
			return []string{"validate", "protect-file-share", "-f", file(s.t, `{"key":"nightly","parameters":`+parametersOfTestshare+`}`)}
		},
		"bulk status": func(s *shell) []string {
			s.stdin = bulkFile(1) // several targets start in any order
			s.failing(1)
			s.succeeds("bulk", "-f", "-", "--key", "nightly")
			s.api.Clock.Pass(time.Minute)
			return []string{"bulk", "status", "nightly"}
		},
		"bulk start": func(s *shell) []string {
			s.stdin = `{"template":{"flow":"protect-file-share","parameters":` + parametersOfTestshare + `},"targets":[{"fileShare":"one"},{"fileShare":7,"policy":1},{"fileShare":"two"}]}`
			return []string{"bulk", "-f", "-"}
		},
		"describe": func(s *shell) []string { return []string{"describe", s.failed()} },
		"status":   operationScreen("status"),
		"history":  operationScreen("history"),
		"watch":    operationScreen("watch"),
		"wait":     operationScreen("wait"),
		"list": func(s *shell) []string {
			s.waiting()
			s.failed()
			s.succeeds("pause", s.start(clienttest.Protect("three", "a-share-with-a-rather-long-name")).ID)
			return []string{"list"}
		},
		"cancel": operationScreen("cancel"),
		"pause":  operationScreen("pause"),
		"resume": func(s *shell) []string {
			id := s.waiting()
			s.succeeds("pause", id)
			return []string{"resume", id}
		},
		"retry":       func(s *shell) []string { return []string{"retry", s.failed()} },
		"drills list": provenDrills("drills", "list"),
		"drills runs": func(s *shell) []string {
			s.succeeds("drills", "run", "monthly-files")
			return []string{"drills", "runs"}
		},
		"drills run":      fixed("drills", "run", "monthly-files"),
		"drills pause":    fixed("drills", "pause", "monthly-files"),
		"drills resume":   fixed("drills", "resume", "monthly-files"),
		"drills evidence": provenDrills("drills", "evidence"),
		"drills key":      fixed("drills", "key"),
		"drills answer": func(s *shell) []string {
			s.api.Script("await-backup-job", clienttest.Answer{Outcome: operation.Outcome{
				Kind: operation.Wait, After: time.Hour, Note: "the answer of a validator", Validation: &operation.Validation{Target: "/place", Closes: clienttest.Began().Add(24 * time.Hour)},
			}})
			s.api.Backup()
			id := s.start(clienttest.Protect("one", "testshare")).ID
			s.api.Clock.Pass(10 * time.Minute)
			return []string{"drills", "answer", id, "--result", "Successful", "--text", "312 tables", "--target", "/place"}
		},
		"summary": func(s *shell) []string {
			s.failed()
			s.succeeds("pause", s.waiting())
			return []string{"summary"}
		},
		"limits":     limitsScreen,
		"flows list": fixed("flows", "list"),
		"flows show": fixed("flows", "show", "backup-now"),
		"rescue":     fixed("rescue"),
		"errors":     fixed("errors", "UserErrorStorageAccountIsLocked"),
		"preflight":  preflightScreen,

		"readiness":            fixed("readiness", clienttest.Vault),
		"items list":           fixed("items", "list", clienttest.Vault),
		"recovery-points list": fixed("recovery-points", "list", clienttest.Vault+"/x"),
		"protectable list":     fixed("protectable", "list", clienttest.Vault, "--type", "VM"),
		"policies list":        fixed("policies", "list", clienttest.Vault),
		"deleted list":         fixed("deleted", "list", clienttest.Vault),

		"rejected list": func(s *shell) []string { s.reject(); return []string{"rejected", "list"} },
		"rejected show": func(s *shell) []string { return []string{"rejected", "show", s.reject()} },
		"rejected replay": func(s *shell) []string {
			return []string{"rejected", "replay", s.reject(), "-f", file(s.t, `{"flow":"protect-file-share","parameters":`+parametersOfTestshare+`}`)}
		},
		"rejected removals": func(s *shell) []string {
			s.succeeds("rejected", "purge", s.reject(), "--reason", "the sender has sent the corrected request itself")
			s.succeeds("rejected", "purge", "--before", "2027-01-01")
			return []string{"rejected", "removals"}
		},
		"rejected purge": func(s *shell) []string { return []string{"rejected", "purge", s.reject()} },

		"schedules list": func(s *shell) []string {
			s.succeeds("schedules", "run", "nightly")
			return []string{"schedules", "list"}
		},
		"schedules run":   fixed("schedules", "run", "nightly", "--key", "before-{date}", "--reason", "before the upgrade"),
		"schedules pause": fixed("schedules", "pause", "nightly", "--reason", "maintenance"),
		"schedules resume": func(s *shell) []string {
			s.succeeds("schedules", "pause", "nightly")
			return []string{"schedules", "resume", "nightly"}
		},
		"schedules check": func(s *shell) []string {
			return []string{"schedules", "check", "-f", s.declared("schedules.yaml", someSchedules)}
		},
		"schedules next": func(s *shell) []string {
			return []string{"schedules", "next", "-n", "2", "-f", s.declared("schedules.yaml", someSchedules)}
		},
		"drills check": func(s *shell) []string {
			return []string{"drills", "check", "-f", s.declared("drills.yaml", exampleDrills(s.t))}
		},
		"drills page": func(s *shell) []string {
			return []string{"drills", "page", s.declared("evidence.json", sampleEvidence(s.t)), "--key", sampleEvidenceKey, "--to", filepath.Join(s.t.TempDir(), "drill.html")}
		},
		"drills summary": func(s *shell) []string {
			return []string{"drills", "summary", s.declared("evidence.json", sampleEvidence(s.t)), "--key", sampleEvidenceKey}
		},
		"drills verify": func(s *shell) []string {
			return []string{"drills", "verify", s.declared("evidence.json", sampleEvidence(s.t)), "--key", sampleEvidenceKey}
		},
		"protect check": func(s *shell) []string {
			return []string{"protect", "check", "-f", s.declared("protection.yaml", someRules)}
		},
		"protect explain": func(s *shell) []string {
			return []string{"protect", "explain", someAccount + "/fileServices/default/shares/orders-eu", "-f", s.declared("protection.yaml", someRules), "--location", "westeurope", "--tag", "Backup=yes"}
		},
		"protect decisions": decisionsScreen,

		"context add":    fixed("context", "add", "production", "--url", "https://func-azbackupflow-production.azurewebsites.net", "--vault", "files-vault"),
		"context use":    contextScreen("context", "use", "staging"),
		"context list":   func(s *shell) []string { return s.withContexts("context", "list") },
		"context show":   func(s *shell) []string { return s.withContexts("context", "show", "production") },
		"context remove": contextScreen("context", "remove", "staging"),

		"version": fixed("version"),
		"help":    fixed("help", "rejected", "purge"),
	}
}

// screensElsewhere are the commands whose screens other tests hold, and those that
// write a file.
func screensElsewhere() map[string]string {
	return map[string]string{
		"local":      "TestLocal_ShowsItsScreens",
		"dashboard":  "TestDashboard_ServesTheAppToTheOpenedLink",
		"demo":       "TestSummary_FitsEveryTerminal in internal/cli/demo",
		"completion": "writes a script",
		"man":        "writes a page for man",
		// Its line holds the path of the file.
		"drills download": "TestDrillsDownload_WritesAVerifiedFile",
	}
}

// waiting starts an operation that waits for a job, with many looks behind it.
func (s *shell) waiting() string {
	s.t.Helper()
	for range 28 {
		s.api.Script("await-backup-job", clienttest.Answer{
			Outcome:   operation.Outcome{Kind: operation.Wait, After: 30 * time.Second, Note: "Backup job " + clienttest.Job + " of testshare (InProgress)"},
			Exchanges: []operation.Exchange{{Method: http.MethodGet, Path: clienttest.Vault + "/backupJobs/" + clienttest.Job, Status: http.StatusOK}},
		})
	}
	s.api.Backup()
	id := s.start(clienttest.Protect("one", "testshare")).ID
	s.api.Clock.Pass(10 * time.Minute)
	return id
}

// failed starts an operation that fails.
func (s *shell) failed() string {
	s.t.Helper()
	s.api.Script("check-policy", clienttest.Answer{Err: &operation.Error{
		Code: "PolicyNotFound", Class: operation.Fatal, HTTPStatus: http.StatusNotFound, CorrelationID: "dde57505-80d7-45f0-80c4-00829001b16d",
		Message:           "vault azurefilesvault or its policy schedule1 does not exist, or may not be read by the identity that azbackupflow runs as",
		RecommendedAction: []string{"Check parameters.policy.", "Look at the vault's policies."},
	}})
	id := s.start(clienttest.Protect("two", "logs")).ID
	s.api.Clock.Pass(time.Second)
	return id
}

// reject stores rejected requests and returns the ID of one.
func (s *shell) reject() string {
	s.t.Helper()
	id := rejected.NewID(clienttest.Began(), "", "a", nil)
	for _, r := range []rejected.Request{
		{ID: rejected.NewID(clienttest.Began().Add(time.Hour), "", "b", nil), At: clienttest.Began().Add(time.Hour), Source: "steps", Reason: "is not JSON"},
		{
			ID: id, At: clienttest.Began(), Source: "requests", MessageID: "m1", Key: "nightly", Flow: "protect-file-share",
			Reason: "invalid request: parameters.vaultId \"x\" is not a resource ID; want /subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}",
			Fields: []step.FieldError{
				{Field: "parameters.vaultId", Problem: `"x" is not a resource ID`, Want: "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"},
				{Field: "parameters.policy", Problem: "is missing"},
			},
		},
	} {
		require.NoError(s.t, s.api.Store.SaveRejected(s.t.Context(), r))
	}
	return id
}

// declared writes a file whose path is the same in each run. Another process may
// write the same file.
func (s *shell) declared(name, text string) string {
	s.t.Helper()
	folder := filepath.Join(os.TempDir(), "azbackupflow-screens")
	require.NoError(s.t, os.MkdirAll(folder, 0o750))
	path := filepath.Join(folder, name)
	own := filepath.Join(s.t.TempDir(), name)
	require.NoError(s.t, os.WriteFile(own, []byte(text), 0o600))
	require.NoError(s.t, os.Rename(own, path))
	return path
}

// contextScreen returns a command for which contexts exist.
func contextScreen(args ...string) func(*shell) []string {
	return func(s *shell) []string {
		for _, name := range []string{"production", "staging"} {
			s.succeeds("context", "add", name, "--url", "https://func-azbackupflow-"+name+".azurewebsites.net", "--vault", "files-vault")
		}
		return args
	}
}

// withContexts lets a command read contexts from a folder whose path is the same
// in each run.
func (s *shell) withContexts(args ...string) []string {
	s.configDir = filepath.Join("testdata", "contexts")
	return args
}

func preflightScreen(s *shell) []string {
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"ok":true,"findings":[
		  {"check":"permissions","subject":"` + clienttest.Vault + `","problem":"the app's managed identity may not do what the role azbackupflow Backup Operator is for",
		   "missing":["Microsoft.RecoveryServices/Vaults/backupJobs/cancel/action"],"do":"Assign the role."},
		  {"check":"tables","subject":"AzureWebJobsStorage","ok":true}]}`))
	})
	return []string{"preflight", "--all"}
}

// limitsScreen holds a quota that is used up, with an operation that waits for it,
// and a bucket.
func limitsScreen(s *shell) []string {
	s.t.Helper()
	now := s.api.Clock.Now()
	subscription := "00000000-0000-0000-0000-000000000000"
	s.api.SetLimits(
		ratelimit.Known{
			Key: "quota", Quota: true, Name: "backupJobs read quota", Subscription: subscription, Scope: strings.ToLower(clienttest.Vault), Action: "backupJobs/read",
			Limit: 150, Window: time.Hour, ResetAt: now.Add(20 * time.Minute), ThrottledAt: now, BlockedUntil: now.Add(20 * time.Minute),
		},
		ratelimit.Known{Key: "bucket", Name: "reads of Microsoft.RecoveryServices", Subscription: subscription, Provider: "Microsoft.RecoveryServices", Limit: 250, Remaining: 238},
		ratelimit.Known{Key: "unknown", Name: "writes of Microsoft.RecoveryServices", Subscription: subscription, Provider: "Microsoft.RecoveryServices"},
	)
	s.api.Script("check-policy", clienttest.Answer{Deferral: &operation.Deferral{Limit: "backupJobs read quota", Wait: 20 * time.Minute, Reservation: "quota"}})
	s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(time.Minute)
	return []string{"limits"}
}

func decisionsScreen(s *shell) []string {
	for i, v := range []decision.Record{
		{Outcome: "protect", Rule: "all", Reason: "protects it", OperationID: "abc", Source: "event", EventID: "e"},
		{Outcome: "none", Reason: "no rule matches", DryRunMatches: []string{"rule trial would protect it"}, Source: "sweep"},
	} {
		v.ResourceID, v.At = fmt.Sprintf("%sMicrosoft.DBforPostgreSQL/flexibleServers/pg%d", someGroup, i), s.api.Clock.Now()
		require.NoError(s.t, s.api.Store.SaveDecision(s.t.Context(), v))
	}
	return []string{"protect", "decisions"}
}

// grammar returns the parser of the command line.
func grammar(t *testing.T) *kong.Kong {
	t.Helper()
	env := environment{stdout: &buffer{}, stderr: &buffer{}, now: clienttest.Began}
	book, err := newFlowFlags(env)
	require.NoError(t, err)
	parser, err := newParser(t.Context(), &commandLine{}, env, book, func() {})
	require.NoError(t, err)
	return parser
}

// commands returns the commands of the command line, without hidden ones.
func commands(t *testing.T) (all []string) {
	t.Helper()
	parser := grammar(t)
	for _, leaf := range parser.Model.Leaves(true) {
		var names []string
		for node := leaf; node != nil && node.Type == kong.CommandNode; node = node.Parent {
			names = append([]string{node.Name}, names...)
		}
		all = append(all, strings.Join(names, " "))
	}
	return all
}

func TestScreens_CoverEveryCommand(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, command := range commands(t) {
		known[command] = true
		_, elsewhere := screensElsewhere()[command]
		if _, ok := screens()[command]; !ok && !elsewhere {
			t.Errorf(screenHint, command)
		}
	}
	for command := range screens() {
		require.True(t, known[command], "%s is not a command any more: remove its screen", command)
	}
	files, err := filepath.Glob(filepath.Join("testdata", "screens", "*.golden"))
	require.NoError(t, err)
	names := map[string]bool{"local": true, "local-no-host": true} // of TestLocal_ShowsItsScreens
	for command := range screens() {
		names[strings.ReplaceAll(command, " ", "-")] = true
	}
	for _, file := range files {
		require.True(t, names[strings.TrimSuffix(filepath.Base(file), ".golden")], "%s belongs to no command: remove it", file)
	}
}

func TestScreens_FitEveryTerminal(t *testing.T) {
	t.Parallel()
	for command, prepare := range screens() {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			var all strings.Builder
			var s *shell
			for _, width := range screenWidths() {
				plain := ""
				for _, color := range []bool{false, true} {
					s = newShell(t)
					args := prepare(s)
					shown := s.screen(width, color, args)
					switch {
					case !color:
						plain = shown
						fmt.Fprintf(&all, "== %d columns ==\n%s", width, visible(shown))
					case shown != plain:
						fmt.Fprintf(&all, "== %d columns, in color ==\n%s", width, visible(shown))
						require.Equal(t, plain, escapes().ReplaceAllString(shown, ""), "colors change nothing else")
					}
				}
			}
			shown := strings.ReplaceAll(all.String(), os.TempDir(), "/tmp") // paths of other temporary folders have another length
			s.golden(filepath.Join("screens", strings.ReplaceAll(command, " ", "-")), shown)
		})
	}
}

// visible makes escape sequences readable.
func visible(shown string) string { return strings.ReplaceAll(shown, "\x1b", "␛") }

// screen returns what a command shows at a terminal. It requires that no line is
// wider than the terminal, not even that of an error.
func (s *shell) screen(width int, color bool, args []string) string {
	s.t.Helper()
	s.change = func(e *environment) {
		columns := func() int { return width }
		e.stdoutTerminal, e.stderrTerminal, e.stdoutColumns, e.stderrColumns = true, true, columns, columns
		e.lookup = func(name string) (string, bool) {
			if name == "NO_COLOR" && !color {
				return "1", true
			}
			return "", false
		}
	}
	r := s.run(args...)
	for _, written := range []string{r.stdout, strings.ReplaceAll(r.stderr, "\r", "\n")} {
		for line := range strings.Lines(written) {
			line = strings.TrimSuffix(line, "\n")
			require.LessOrEqual(s.t, text.StringWidthWithoutEscSequences(line), width, "%v at %d columns: %s", args, width, line)
		}
	}
	return r.stdout
}

func TestHelp_FitsANarrowTerminal(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, command := range append(commands(t), "", "rejected", "schedules", "drills", "protect") {
		for _, width := range []int{60, 80} {
			shown := s.screen(width, false, append(strings.Fields(command), "--help"))
			require.Contains(t, shown, "Usage: azbackupflow", command)
		}
	}
}

func TestErrors_FitANarrowTerminal(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, args := range [][]string{{"list", "--since", "yesterday"}, {"nope"}, {"status", "nope"}, {"wait", s.failed()}} {
		s.screen(60, false, args)
	}
}
