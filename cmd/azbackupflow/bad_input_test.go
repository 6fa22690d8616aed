package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
)

// libraryPhrases are words of Go and of libraries that a user must not read.
func libraryPhrases() []string {
	return []string{
		"strconv", "json:", "yaml:", "nmarshal", "invalid character", "%!", "(string)", "(EOL)", "EOL", "unexpected end", "dial tcp", "invalid syntax",
		"mapping values", "did not find expected", "nil pointer", "EOF", "regexp", "parsing", "kong", "*cli.", "struct", "int64", "bool value", "float64", "goroutine",
		"cannot decode", "looking for beginning", "map[", "interface {}", "decode", "token", "64 bit", "no such file", "positional", "stat ", "open ",
	}
}

// badInput is a command line, or a file, that can never work.
type badInput struct {
	args []string
	// file is the content of a file whose name follows the arguments; empty for none.
	file string
	// field is the flag, argument or field; problem what is wrong with it, want what
	// would be right.
	field, problem, want string
}

func badFlags() []badInput {
	start := func(args ...string) []string { return append([]string{"start", "protect-file-share"}, args...) }
	return []badInput{
		// The grammar.
		{args: nil, field: "command", problem: "is missing", want: "azbackupflow --help"},
		{args: []string{"lsit"}, field: `"lsit"`, problem: "is not a command", want: `"list"`},
		{args: []string{"frobnicate"}, field: `"frobnicate"`, problem: "is not a command", want: "azbackupflow --help"},
		{args: []string{"schedules", "frobnicate"}, field: `"frobnicate"`, problem: "is not a command", want: "azbackupflow schedules --help"},
		{args: []string{"help", "frobnicate"}, field: `"frobnicate"`, problem: "is not a command", want: "azbackupflow --help"},
		{args: []string{"protectable", "list", "/x"}, field: "--type", problem: "--type is missing", want: "add --type TYPE;"},
		{args: []string{"protectable", "list", "/x", "--type", "vm"}, field: "--type", problem: `"vm" is not a valid value`, want: "use one of AzureFileShare, VM, SQLDataBase, SAPHanaDatabase"},
		{args: []string{"drills", "verify", "x"}, field: "--key", problem: "is missing", want: "add --key FILE;"},
		{args: []string{"start", "backup-nw"}, field: `"backup-nw"`, problem: "is neither a flow nor a file", want: `did you mean "backup-now"? azbackupflow flows`},
		{args: []string{"flows", "show", "restore-vn"}, field: `"restore-vn"`, problem: "is not a flow", want: `did you mean "restore-vm"?`},
		{args: []string{"start", "restore-vm", "--item-vm", "vm1"}, field: "--item-vm", problem: "does not name a vault", want: "add --vault NAME"},
		{args: []string{"rejected", "removals", "--since", "soon"}, field: "--since", problem: `"soon" is not a time`, want: "36h or 7d"},
		{args: []string{"list", "--frobnicate"}, field: "--frobnicate", problem: "is not a flag of this command", want: "azbackupflow list --help"},
		{args: []string{"list", "--lable", "a=b"}, field: "--lable", problem: "is not a flag", want: "--label"},
		{args: []string{"list", "extra"}, field: `"extra"`, problem: "is not expected", want: "leave it out"},
		{args: []string{"list", "--limit"}, field: "--limit", problem: "has no value", want: "write the value after it"},
		{args: []string{"list", "--limit", "many"}, field: "--limit", problem: `"many" is not a whole number`, want: "such as 50"},
		{args: []string{"list", "--limit", "1.5"}, field: "--limit", problem: `"1.5" is not a whole number`, want: "such as 50"},
		{args: []string{"list", "--limit", "99999999999999999999"}, field: "--limit", problem: "is not a whole number", want: "such as 50"},
		{args: []string{"list", "--limit", "0"}, field: "--limit", problem: "0 is too small", want: "use at least 1"},
		{args: []string{"list", "--watch=maybe"}, field: "--watch", problem: `"maybe" is not true or false`, want: "=true or =false"},
		{args: []string{"list", "-o", "xml"}, field: "--output", problem: `"xml" is not a valid value`, want: "json"},
		{args: []string{"rejected"}, field: "command", problem: "is missing", want: `"list"`},
		{args: []string{"rejected", "show"}, field: "<id>", problem: "is missing", want: "add it after the command"},
		{args: []string{"rejected", "purge"}, field: "ID", problem: "purge needs either", want: "--before 30d"},
		{args: []string{"rejected", "purge", "x", "--before", "1d"}, field: "ID", problem: "needs either", want: "--before 30d"},
		{args: []string{"rejected", "purge", "--before", "soon"}, field: "--before", problem: `"soon" is not a time`, want: "36h or 7d"},
		{args: []string{"flows", "show", "nope"}, field: `"nope"`, problem: "is not a flow", want: "backup-now"},
		// The connection.
		{args: []string{"list", "--url", "nowhere"}, field: `"nowhere"`, problem: "is not the address of a Functions app", want: "https://name.azurewebsites.net"},
		{args: []string{"list", "--url", "http://name.example", "--function-key", "k"}, field: "function key", problem: "unencrypted", want: "use https"},
		{args: []string{"list", "--sign-in", "magic"}, field: "--sign-in", problem: `"magic" is not a method`, want: "azure-cli"},
		{args: []string{"list", "--sign-in", "azure-cli"}, field: "audience", problem: "needs the audience", want: "AZBACKUPFLOW_AUDIENCE"},
		{args: []string{"list", "--sign-in", "function-key"}, field: "function key", problem: "needs a function key", want: "AZBACKUPFLOW_FUNCTION_KEY"},
		{args: []string{"list", "--context", "nope"}, field: "context", problem: `"nope" does not exist`, want: "azbackupflow context add"},
		{args: []string{"context", "add", "a/b", "--url", "https://x.example"}, field: `"a/b"`, problem: "is not a name of a context", want: "letters"},
		{args: []string{"context", "add", "a", "--url", "https://x.example?code=k"}, field: "--url", problem: "more than an address", want: "AZBACKUPFLOW_FUNCTION_KEY"},
		{args: []string{"context", "add", "a", "--url", "https://x.example", "--subscription", "prod"}, field: "--subscription", problem: `"prod" is not a subscription ID`, want: "az account show"},
		// Filters and sets.
		{args: []string{"list", "--status", "Done"}, field: "--status", problem: `"Done" is not a status`, want: "Succeeded"},
		{args: []string{"list", "--label", "team"}, field: "--label", problem: `"team" is not NAME=VALUE`, want: "team=files"},
		{args: []string{"list", "--since", "yesterday"}, field: "--since", problem: `"yesterday" is not a time`, want: "2026-11-21"},
		{args: []string{"list", "--until", "-3d"}, field: "--until", problem: "has no value", want: "after = if it begins with a hyphen"},
		{args: []string{"list", "--since", "1d", "--until", "2d"}, field: "--since", problem: "is not before --until", want: "earlier --since"},
		{args: []string{"list", "--sort", "size"}, field: "--sort", problem: `"size" is not a field`, want: "createdAt"},
		{args: []string{"wait"}, field: "operation", problem: "is missing", want: "--bulk KEY"},
		{args: []string{"wait", "x", "--label", "a=b"}, field: "IDs and filters", problem: "exclude each other", want: "leave out"},
		{args: []string{"wait", "x", "--timeout", "soon"}, field: "--timeout", problem: `"soon" is not a duration`, want: "PT36H"},
		{args: []string{"wait", "x", "--timeout", "5"}, field: "--timeout", problem: `"5" is not a duration`, want: "90m"},
		{args: []string{"cancel"}, field: "operation", problem: "is missing", want: "add an ID, --last, or a filter"},
		{args: []string{"status", "--last"}, field: "--last", problem: "finds no operation", want: "azbackupflow start"},
		// Requests.
		{args: []string{"start"}, field: "a flow or a request file", problem: "is missing", want: "azbackupflow start FILE"},
		{args: []string{"start", "nope"}, field: `"nope"`, problem: "is neither a flow nor a file", want: "backup-now"},
		{args: []string{"start", "./nope.yaml"}, field: "nope.yaml", problem: "does not exist", want: "name"},
		{args: []string{"start", "backup-now", "--server", "x"}, field: "--server", problem: "flow backup-now has no parameter", want: "--file-share"},
		{args: start("--example", "--sett", "x"), field: "--sett", problem: "is not a flag", want: "--set"},
		{args: []string{"start", "--example"}, field: "--example", problem: "needs a flow", want: "azbackupflow start FLOW --example"},
		{args: start("--set", "x"), field: "--set", problem: `"x" is not PATH=VALUE`, want: "rule.name=BackupWeekly"},
		{args: start("--set", "a..b=1"), field: "--set", problem: "is not PATH=VALUE", want: "rule.name=BackupWeekly"},
		{args: start("--label", "team"), field: "--label", problem: `"team" is not NAME=VALUE`, want: "team=files"},
		{args: start("--deadline", "6x", "--set", "a=1"), field: "--deadline", problem: `"6x" is not a duration`, want: "7d"},
		{args: start("--timeout", "6h"), field: "--timeout", problem: "has no effect without --wait", want: "add --wait"},
		{args: start("--wait", "--timeout", "6"), field: "--timeout", problem: `"6" is not a duration`, want: "6h"},
		{args: start("--key", "{day}", "--set", "a=1"), field: "--key", problem: "{day} is not a placeholder", want: "{date}"},
		{args: start("--key", "{env:NOPE}", "--set", "a=1"), field: "--key", problem: "NOPE is not set", want: "set it"},
		{args: start("--storage-account", "acct"), field: "--storage-account", problem: "the subscription is unknown", want: "--subscription"},
		{args: start("--storage-account", "a/b/c", "--subscription", "s", "-g", "g"), field: "--storage-account", problem: "is neither a resource ID nor a name", want: "STORAGE_ACCOUNT"},
		{args: start("--vault", "v", "--subscription", "s"), field: "--vault", problem: "the resource group is unknown", want: "--resource-group"},
		{args: start("--recovery-point-expiry-time-in-utc", "30d"), field: "--recovery-point-expiry-time-in-utc", problem: "is not a time", want: "+30d"},
		{args: []string{"start", "backup-now", "--backup-type", "Weekly"}, field: "--backup-type", problem: `"Weekly" is not a valid value`, want: "CopyOnlyFull"},
		{args: []string{"start", "backup-now", "--retry-failed-job", "x"}, field: "--retry-failed-job", problem: "is not a whole number", want: "from 0 to 3"},
		{args: []string{"start", "backup-now", "--enable-compression=maybe"}, field: "--enable-compression", problem: `"maybe" is not true or false`, want: "true"},
		{args: []string{"start", "backup-now", "--tags", "x"}, field: "--tags", problem: `"x" is not NAME=VALUE`, want: "NAME=VALUE"},
		{args: []string{"start", "track-job", "--job", "7"}, field: "--job", problem: "can belong to", want: "use the resource ID"},
		{args: start("--policy", "schedule1"), field: "parameters.vaultId", problem: "is missing", want: "/subscriptions/{id}"},
		{args: start("--vault", "/nope", "--storage-account", testAccount, "--file-share", "orders", "--policy", "p"), field: "parameters.vaultId", problem: "not a resource ID", want: "vaults/{name}"},
		{args: start("--file-share", "UPPER", "--policy", "p"), field: "parameters.fileShare", problem: `"UPPER" is not the name of a file share`, want: "lower-case"},
		// Others.
		{args: []string{"completion", "tcsh"}, field: "<shell>", problem: `"tcsh" is not a valid value`, want: "use one of bash, zsh, fish, powershell"},
		{args: []string{"schedules", "next", "--after", "soon"}, field: "--after", problem: `"soon" is not a time`, want: "2026-"},
		{args: []string{"schedules", "next", "-n", "0"}, field: "--count", problem: "0", want: "1"},
		{args: []string{"local", "--speed", "fast"}, field: "--speed", problem: `"fast" is not a number`, want: "use a number"},
		{args: []string{"local", "--speed", "0"}, field: "--speed", problem: "0 is too small", want: "above 0"},
		{args: []string{"list", "--query", "[["}, field: "--query", problem: "is not a JMESPath expression", want: "operations[].id"},
	}
}

func badFiles() []badInput {
	request := func(content string) badInput { return badInput{args: []string{"start"}, file: content} }
	with := func(b badInput, field, problem, want string) badInput {
		b.field, b.problem, b.want = field, problem, want
		return b
	}
	bulk := func(content string) badInput { return badInput{args: []string{"bulk", "-f"}, file: content} }
	good := `"parameters":` + parametersOfTestshare
	return []badInput{
		with(request(" \n"), "request", "is empty", "--example"),
		with(request("{\n oops"), "request", "is not JSON", "line 2, at \"o\"; write one JSON object"),
		with(request(`{"flow":"protect-file-share",`), "request", "is not JSON: it ends in line 1", "one JSON object"),
		with(request("[]"), "request", "is an array", "a JSON object"),
		with(request("{} {}"), "request", "holds more than one", "one JSON object"),
		with(request("flow: [a\n"), "request", "line 1: is not YAML: a bracket is not closed", "each bracket closed"),
		with(request("flow: a\n\tkey: b\n"), "request", "line 2: is not YAML: a value or its indentation begins with a character that is not allowed there, such as a tab", "spaces for the indentation"),
		with(request("flow: a\nflow: b\n"), "flow", "line 2: has the field flow twice, first in line 1", "each field once"),
		with(request("just words"), "request", "does not hold a request", "flow: backup-now"),
		with(request("- a\n- b\n"), "request", "does not hold a request", "flow: backup-now"),
		with(request("---\nflow: a\n---\nflow: b\n"), "request", "more than one document", "one YAML document"),
		with(request(`{`+good+`}`), "flow", "has no field flow", "add flow to the file"),
		with(request(`{"flow":"nope",`+good+`}`), "flow", `"nope" is not a flow`, "protect-file-share"),
		with(request(`{"flow":"protect-file-share","parametres":{}}`), "parametres", "is an unknown field", "parameters"),
		with(request("flow: protect-file-share\nparametres: {}\n"), "parametres", "is an unknown field", "parameters"),
		with(request(`{"flow":7,`+good+`}`), "flow", "is a number", "a JSON string"),
		with(request(`{"flow":"protect-file-share","parameters":[]}`), "parameters", "", "object"),
		with(request(`{"flow":"protect-file-share","parameters":{"vaultId":7}}`), "parameters.vaultId", "is a number", "a JSON string"),
		with(request(`{"flow":"protect-file-share","parameters":{"vault":"x"}}`), "parameters.vault", "is an unknown field", "vaultId"),
		with(request(`{"flow":"protect-file-share","deadline":"6x",`+good+`}`), "deadline", `"6x"`, "PT6H"),
		with(request(`{"flow":"protect-file-share","deadline":"40d",`+good+`}`), "deadline", "out of range", "from 1m to 30d"),
		with(request(`{"flow":"protect-file-share","labels":{"a b":"c"},`+good+`}`), "labels", `"a b"`, "letters"),
		with(request(`{"flow":"protect-file-share","labels":[],`+good+`}`), "labels", "is an array", "a JSON object"),
		with(request(`{"flow":"protect-file-share","key":"`+strings.Repeat("k", 201)+`",`+good+`}`), "key", "is too long", "200"),
		with(bulk(`{"targets":[{}],"colour":"red"}`), "colour", "is an unknown field", "targets"),
		with(bulk(`{"template":{"flow":"protect-file-share","parameters":{}},"targets":[]}`), "targets", "is missing or empty", "a list of JSON objects"),
		with(bulk(`{"template":{"flow":"protect-file-share","parameters":{}},"targets":"x"}`), "targets", "is a string", "JSON array"),
		with(bulk("targets: {"), "request", "line 1: is not YAML: a bracket is not closed", "each bracket closed"),
	}
}

func TestBadInput_IsExplained(t *testing.T) {
	t.Parallel()
	all := append(badFlags(), badFiles()...)
	require.Greater(t, len(all), 90)
	for i, in := range all {
		t.Run(fmt.Sprintf("%d %s", i, strings.Join(in.args, " ")), func(t *testing.T) {
			t.Parallel()
			s := newShell(t)
			args := in.args
			if in.file != "" {
				name := filepath.Join(t.TempDir(), "request.txt")
				require.NoError(t, os.WriteFile(name, []byte(in.file), 0o600))
				args = append(append([]string{}, args...), name)
			}
			r := s.run(args...)
			said := strings.ReplaceAll(r.stderr, t.TempDir(), "")
			require.Equal(t, cli.ExitUsage, r.code, said)
			require.Equal(t, 1, strings.Count(r.stderr, "\n"), said)
			require.Empty(t, r.stdout)
			for _, part := range []string{in.field, in.problem, in.want} {
				require.Contains(t, said, part)
			}
			for _, phrase := range libraryPhrases() {
				require.NotContains(t, said, phrase)
			}
		})
	}
}
