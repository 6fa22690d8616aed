package operation_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

var update = flag.Bool("update", false, "write docs/state-machine.md anew") //nolint:gochecknoglobals // a flag of the test program

const published = "../../docs/state-machine.md"

func TestThe_published_state_machine_is_the_one_that_runs(t *testing.T) {
	t.Parallel()
	want := page()
	if *update {
		require.NoError(t, os.WriteFile(filepath.FromSlash(published), []byte(want), 0o600))
	}
	got, err := os.ReadFile(filepath.FromSlash(published))
	require.NoError(t, err)
	require.Equal(t, want, strings.ReplaceAll(string(got), "\r\n", "\n"),
		"docs/state-machine.md is written by: go test ./internal/operation -run published_state_machine -update")
}

// page is docs/state-machine.md.
func page() string {
	var b strings.Builder
	b.WriteString(`# The state machine of an operation

<!-- Written by a test from the code's own table; do not edit. After a change:
     go test ./internal/operation -run published_state_machine -update -->

` + "```mermaid\n" + operation.Mermaid() + "```\n" + `
## Statuses

| Status | | Meaning |
|---|---|---|
`)
	for _, s := range operation.Statuses() {
		kind := "live"
		if s.Terminal() {
			kind = "ended"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s, kind, meanings()[s])
	}
	b.WriteString(`
## Transitions

Nothing else changes a status. A pair that is not in this table is a bug: it
parks the operation with the error ` + "`IllegalTransition`" + ` and is never guessed at.

| From | What happens | To |
|---|---|---|
`)
	for _, tr := range operation.Transitions() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", tr.From, tr.Trigger, tr.To)
	}
	b.WriteString(`
## What is not a status

- **Waiting.** An operation that waits for Azure is Running; its ` + "`dueAt` and `waitingFor`" + `
  say until when and for what. Waiting for a throttled answer is not failing.
- **Paused.** A flag: the operation makes no calls until it is resumed. A call
  whose answer is unknown is still looked for, and the deadline still counts.
- **Cancel requested.** A flag: the next step honours it. Where the flow knows how
  to cancel what Azure has begun, it does; otherwise that goes on and is named in
  the operation's warnings.
- **Claimed.** A call that must happen once is about to be made, or was made and
  its answer is unknown. The claim is resolved before anything else happens to
  the operation, cancel and deadline included.

Every move to another step or status is one save: the row at the next ` + "`seq`" + `
together with its line of history. A claim, a flag and a counted rescue are saved
at the ` + "`seq`" + ` that the row has. See
[ADR 3](adr/0003-save-then-send.md) and [ADR 4](adr/0004-claims.md).
`)
	return b.String()
}

func meanings() map[operation.Status]string {
	return map[operation.Status]string{
		operation.Pending:               "accepted; no step was answered yet",
		operation.Running:               "at its current step, or waiting to look again",
		operation.Parked:                "waits for a person, who retries or cancels it",
		operation.Succeeded:             "what was asked for is done, to the end of Azure's job",
		operation.SucceededWithWarnings: "done, and Azure warned; the warnings are on the operation",
		operation.Failed:                "an error that retrying cannot mend, or that outlasted its retries; a person may retry it",
		operation.Canceled:              "a person canceled it; what Azure had begun and could not be canceled is named in its warnings",
		operation.TimedOut:              "its deadline passed; what is known, such as a running job, stays on it; a person may retry it",
	}
}

func TestEvery_status_has_a_published_meaning(t *testing.T) {
	t.Parallel()
	for _, s := range operation.Statuses() {
		require.NotEmpty(t, meanings()[s], string(s))
	}
}
