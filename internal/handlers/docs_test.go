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

	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
)

// These tests hold docs/http-api.md against the code.

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

// found lists the first group of every match.
func found(pattern, text string) (all []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestEveryRouteIsInTheDocs(t *testing.T) {
	t.Parallel()
	pages := page(t) + file(t, filepath.Join("..", "..", "docs", "dead-letters.md"))
	require.ElementsMatch(t, routesOf(t), found("(?m)^\\| `([A-Z]+ /api[^`]*)` \\|", pages))
}

func TestEveryProblemIsInTheDocs(t *testing.T) {
	t.Parallel()
	source := file(t, "problem.go")
	prefix := found(`problemPrefix += "([^"]+)"`, source)
	require.Len(t, prefix, 1)
	var types []string
	for _, name := range found(`problemPrefix \+ "([^"]+)"`, source) {
		types = append(types, prefix[0]+name)
	}
	require.Contains(t, types, "urn:azbackupflow:problem:key-conflict")
	require.ElementsMatch(t, types, found("(?m)^\\| `(urn:[^`]+)` \\| [45]\\d\\d \\|", page(t)))
}

func TestEveryFieldOfAnOperationIsInTheDocs(t *testing.T) {
	t.Parallel()
	text := page(t)
	kind := reflect.TypeFor[handlers.View]()
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

func TestEveryAnswerInTheDocsIsOneThatIsGiven(t *testing.T) {
	t.Parallel()
	blocks := found("(?s)```json\n(.*?)```", page(t))
	require.Len(t, blocks, 2)
	for i, answer := range []any{&handlers.View{}, &handlers.Problem{}} {
		d := json.NewDecoder(strings.NewReader(blocks[i]))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(answer))
	}
}
