package handlers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	wire "azbackupflow/internal/api"
	"azbackupflow/internal/operation"
)

// These tests compare docs/http-api.md with the code.

func page(t *testing.T) string {
	t.Helper()
	return file(t, filepath.Join("..", "..", "docs", "http-api.md"))
}

func file(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(raw)
}

// found returns the first group of every match.
func found(pattern, text string) (all []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestDocs_ListEveryRoute(t *testing.T) {
	t.Parallel()
	pages := page(t) + file(t, filepath.Join("..", "..", "docs", "rejected-requests.md"))
	require.ElementsMatch(t, newRig(t).api.Routes(), found("(?m)^\\| `([A-Z]+ /api[^`]*)` \\|", pages))
}

func TestDocs_ListEveryProblem(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, wire.ProblemTypes(), found("(?m)^\\| `(urn:[^`]+)` \\| [45]\\d\\d \\|", page(t)))
	require.Contains(t, file(t, filepath.Join("..", "..", "docs", "rejected-requests.md")), "`"+wire.ProblemRejectedNotFound+"`")
}

func TestDocs_NameEveryFieldOfAnOperation(t *testing.T) {
	t.Parallel()
	text := page(t)
	kind := reflect.TypeFor[wire.Operation]()
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ",")
		require.True(t, strings.Contains(text, "`"+name+"`") || strings.Contains(text, `"`+name+`"`), "docs/http-api.md does not name %s", name)
	}
	for _, status := range operation.Statuses() {
		if status.Terminal() || status == operation.Parked {
			require.Contains(t, text, "`"+string(status)+"`")
		}
	}
}

func TestDocs_ShowResponsesThatDecode(t *testing.T) {
	t.Parallel()
	blocks := found("(?s)```json\n(.*?)```", page(t))
	require.Len(t, blocks, 2)
	for i, answer := range []any{&wire.Operation{}, &wire.Problem{}} {
		d := json.NewDecoder(strings.NewReader(blocks[i]))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(answer))
	}
}
