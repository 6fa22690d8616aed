package main

import (
	"bufio"
	"context"
	"slices"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/localstack"
	"azbackupflow/internal/client"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// tourStop is one part of the tour: an explanation, faults of the simulated Azure,
// and the commands that the user would type.
type tourStop struct {
	title, text string
	faults      []localstack.Injection
	commands    [][]string
}

// newest stands for the ID of the newest operation.
const newest = "ID"

// tourStops returns the tour. Each command may fail: failures are part of it.
func tourStops() []tourStop {
	const share = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/azurefiles/providers/"
	protect := []string{
		"start", "protect-file-share", "--vault", share + "Microsoft.RecoveryServices/vaults/azurefilesvault",
		"--storage-account", share + "Microsoft.Storage/storageAccounts/testvault2", "--file-share", "testshare", "--policy", "schedule1", "--key", "tour-protect",
	}
	backup := func(key string) []string {
		return []string{
			"start", "backup-now", "--vault", share + "Microsoft.RecoveryServices/vaults/azurefilesvault",
			"--storage-account", share + "Microsoft.Storage/storageAccounts/testvault2", "--file-share", "testshare", "--key", key, "--wait",
		}
	}
	return []tourStop{
		{
			"1. An operation", "A request starts an operation, and a key makes it idempotent. This one registers a storage account with a vault and protects a file share.",
			nil, [][]string{append(protect, "--wait"), {"history", newest}},
		},
		{
			"2. The same key again", "Nothing is started: the key belongs to the operation above.",
			nil, [][]string{protect},
		},
		{
			"3. Azure throttles", "Azure answers 429 and says when to ask again. The operation waits as long as Azure says, and does not count this as a failure.",
			[]localstack.Injection{{Name: "throttle", Times: 2}}, [][]string{backup("tour-throttled"), {"history", newest}},
		},
		{
			"4. An answer is lost", "Azure starts the backup, but its answer never arrives. The operation does not send the request again. It looks for the job that the request may have started. In Azure this takes six minutes.",
			[]localstack.Injection{{Name: "lost-answer", Times: 1}}, [][]string{backup("tour-lost"), {"history", newest}},
		},
		{
			"5. A job fails", "The operation ends with the error of the job and says what to do. A retry continues at the step that failed.",
			[]localstack.Injection{{Name: "job-fails", Times: 1}}, [][]string{backup("tour-failed"), {"describe", newest}, {"retry", newest}, {"wait", newest}},
		},
		{
			"6. A wrong request", "It starts nothing. The answer names each wrong field, and what would be right.",
			nil, [][]string{{"start", "protect-file-share", "--set", "vaultId=/files-vault", "--set", "fileShare=orders", "--set", "policy=daily"}},
		},
		{"7. All operations", "", nil, [][]string{{"list"}}},
	}
}

// tour runs the tour on a stack. At a terminal, it waits for Enter before each stop.
func (a *app) tour(ctx context.Context, s *stack.Stack) error {
	env := a.environment
	if !a.stdinTerminal {
		env.stdin = strings.NewReader("")
	}
	enter := bufio.NewReader(a.stdin)
	for _, stop := range tourStops() {
		a.out.Line("")
		if a.stdinTerminal {
			a.out.Line("%s", a.out.Faint("Press Enter to go on."))
			if _, err := enter.ReadString('\n'); err != nil {
				return nil // the user has closed the input
			}
		}
		a.out.Line("%s\n", a.out.Bold(stop.title))
		if stop.text != "" {
			a.out.Wrapped(0, stop.text)
		}
		localstack.Inject(s.ARM, stop.faults)
		for _, command := range stop.commands {
			words := append([]string{"--url", s.URL()}, command...)
			if err := nameNewest(ctx, a, s.URL(), words); err != nil {
				return err
			}
			a.out.Line("\n%s\n", a.out.Bold("$ azbackupflow "+shellWords(words[2:])))
			run(ctx, words, env)
			if ctx.Err() != nil {
				return nil
			}
		}
	}
	a.out.Line("\nThe tour has ended. The stack continues to run; try the commands above, or --inject.")
	return nil
}

// nameNewest replaces newest by the ID of the newest operation.
func nameNewest(ctx context.Context, a *app, url string, words []string) error {
	i := slices.Index(words, newest)
	if i < 0 {
		return nil
	}
	c, err := client.New(client.Config{URL: url, Now: a.now, Sleep: a.sleep})
	if err != nil {
		return err
	}
	page, err := c.List(ctx, api.OperationQuery{PageSize: 1})
	if err == nil && len(page.Operations) > 0 {
		words[i] = page.Operations[0].ID
	}
	return err
}

// shellWords joins words for people, without the long resource IDs.
func shellWords(words []string) string {
	shown := make([]string, len(words))
	for i, word := range words {
		if strings.HasPrefix(word, "/subscriptions/") {
			word = word[strings.LastIndexByte(word, '/')+1:]
		}
		shown[i] = word
	}
	return strings.Join(shown, " ")
}
