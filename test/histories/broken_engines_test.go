package histories_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fault is a deliberate fault of the program: a change of its source that takes
// effect if operation.Broken is the fault's name, which FAULT stands for.
type fault struct{ name, file, from, to string }

// faults returns the faults that the histories must find. A lock without its
// cooldown is missing: random histories rarely get there, and the model check of
// internal/engine finds it.
func faults() []fault {
	return []fault{
		{
			"the message is sent before the save", "internal/engine/perform.go",
			"\tcase Save:\n",
			"\tcase Save:\n\t\tif FAULT && !cmd.Row.Operation.Status.Terminal() {\n\t\t\t_ = e.cfg.Queue.Send(ctx, StepMessage(cmd.Row.Operation, \"\"))\n\t\t}\n",
		},
		{"an unanswered call is retried without reconciliation", "internal/operation/failed.go", "next.Claim != nil && err.Ambiguous", "next.Claim != nil && err.Ambiguous && !FAULT"},
		{"the reconciliation never finds the job", "internal/flow/start_once.go", "\tclaim := c.Operation.Claim\n", "\tclaim := c.Operation.Claim\n\tif FAULT {\n\t\treturn operation.Reconciliation{Result: operation.NotFound}, nil\n\t}\n"},
		{"the reconciliation does not wait for the grace period", "internal/engine/machine.go", "return claim != nil && ", "return claim != nil && !FAULT && "},
		{"a call is made without a claim", "internal/engine/machine.go", "case s.Effect == step.Once:", "case s.Effect == step.Once && !FAULT:"},
		{"the end queues no notice", "internal/operation/outbox.go", "if op.Status == before {", "if op.Status == before || FAULT {"},
		{"an unsent notice is removed", "internal/engine/machine_send.go", "if r.Storage == OK {", "if r.Storage == OK || FAULT {"},
		{"pending notices are forgotten at the end", "internal/operation/outbox.go", "return op.Status.Terminal() && len(op.PendingNotices) == 0", "return op.Status.Terminal() && (len(op.PendingNotices) == 0 || FAULT)"},
		{"a new notice is removed like a sent one", "internal/operation/fence.go", "if n.Seq <= row.Seq && ", "if (n.Seq <= row.Seq || FAULT) && "},
		{"stale messages run", "internal/operation/fence.go", "case d.Wakeup.Seq < op.Seq:", "case d.Wakeup.Seq < op.Seq && !FAULT:"},
		{"paused operations run", "internal/operation/fence.go", "op.Paused && op.Claim == nil", "op.Paused && !FAULT && op.Claim == nil"},
		{"flags are lost", "internal/engine/machine_save.go", "return m.save(m.Desired.MergeFlags(before, row), m.Event, m.Reason)", "if FAULT {\n\t\t\treturn m.save(m.Desired, m.Event, m.Reason)\n\t\t}\n\t\treturn m.save(m.Desired.MergeFlags(before, row), m.Event, m.Reason)"},
		{"a save that lost is treated as done", "internal/engine/machine.go", "\t\tcase NotFound, Conflict, Unavailable:\n\t\t\treturn m.verify()", "\t\tcase NotFound, Conflict, Unavailable:\n\t\t\tif !FAULT || r.Storage != Conflict {\n\t\t\t\treturn m.verify()\n\t\t\t}"},
		{"the sweep rescues nothing", "internal/operation/rescue.go", "return rescue, rescue > 0", "return rescue, rescue > 0 && !FAULT"},
		{"items are not locked", "internal/engine/item_lock.go", "if e.cfg.Locks == nil {", "if e.cfg.Locks == nil || FAULT {"},
		{"a retried operation keeps its lock", "internal/operation/ended.go", "next.LockedItem = \"\"", "if !FAULT {\n\t\tnext.LockedItem = \"\"\n\t}"},
		{"the rate limiter admits every call", "internal/ratelimit/limiter.go", "if l == nil {", "if l == nil || FAULT {"},
	}
}

// The histories must find each fault within as many seeds as
// TestHistories_HoldEveryRule runs. All faults are built into one binary; the package has no faults of its
// own.
func TestHistories_FindBrokenEngines(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute: builds the program with faults")
	}
	binary := buildBroken(t)
	seed := regexp.MustCompile(`seed (\d+): \[rule broken: ([^:]*)`)
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), binary, "-test.run", "^TestHistories_HoldEveryRule$")
			cmd.Env = append(os.Environ(), "BROKEN="+f.name)
			out, err := cmd.CombinedOutput()
			found := seed.FindSubmatch(out)
			require.Error(t, err, "no history finds the fault")
			require.NotNil(t, found, "%s", out)
			t.Logf("seed %s: %s", found[1], found[2])
		})
	}
}

// buildBroken builds this package's test with all faults.
func buildBroken(t *testing.T) (binary string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	sources := map[string]string{
		"internal/operation/broken_test_only.go": "package operation\n\nimport \"os\"\n\n// Broken is the name of the fault.\nvar Broken = os.Getenv(\"BROKEN\")\n",
	}
	for _, f := range faults() {
		if sources[f.file] == "" {
			text, err := os.ReadFile(filepath.Join(root, f.file))
			require.NoError(t, err)
			sources[f.file] = string(text)
		}
		condition := "operation.Broken"
		if filepath.Dir(f.file) == "internal/operation" {
			condition = "Broken"
		}
		to := strings.ReplaceAll(f.to, "FAULT", "("+condition+" == \""+f.name+"\")")
		require.Contains(t, sources[f.file], f.from, "%s: update the fault to the changed source", f.name)
		sources[f.file] = strings.Replace(sources[f.file], f.from, to, 1)
	}
	replace := map[string]string{}
	for file, text := range sources {
		path := filepath.Join(dir, strings.ReplaceAll(file, "/", "-"))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		replace[filepath.Join(root, file)] = path
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	binary = filepath.Join(dir, "histories.test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-trimpath", "-c", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, ".")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}
