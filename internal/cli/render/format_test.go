package render_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

// page is a page as the API answers.
func page() api.OperationPage {
	return api.OperationPage{
		Operations: []api.Operation{
			{ID: "one", Flow: "backup-now", Status: api.Running, Learned: map[string]string{"size": "007", "on": "no", "what": "a\nb: \U0001f600 <&>"}},
			{ID: "two", Status: api.Failed, Warnings: []string{"w"}, Parameters: json.RawMessage(`{"a":"\ud83d\ude00","n":1e3}`)},
		},
		Unreadable: []string{"three"}, Continue: "next",
	}
}

// written returns what Data writes.
func written(t *testing.T, format render.Format, query string, v any) (string, error) {
	t.Helper()
	q, err := render.ParseQuery(query)
	require.NoError(t, err)
	p, out := printer(t, 80, render.Config{Format: format, Query: q})
	require.Equal(t, query != "" || format != render.Table && format != render.Wide, p.Structured())
	err = p.Data(v)
	return out.String(), err
}

func TestData_HasTheSameValueInEveryFormat(t *testing.T) {
	t.Parallel()
	want, err := json.Marshal(page())
	require.NoError(t, err)
	shown, err := written(t, render.JSON, "", page())
	require.NoError(t, err)
	require.JSONEq(t, string(want), shown)
	shown, err = written(t, render.YAML, "", page())
	require.NoError(t, err)
	var decoded any
	require.NoError(t, yaml.Unmarshal([]byte(shown), &decoded))
	again, err := json.Marshal(decoded)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(again))
	require.Regexp(t, `(?s)^operations:\n.*\nunreadable:\n.*\ncontinue: next\n$`, shown, "members keep their order")
}

func TestData_WritesAListByElements(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format render.Format
		query  string
		value  any
		want   string
	}{
		"lines":                {render.JSONLines, "operations[].{id: id}", page(), "{\"id\":\"one\"}\n{\"id\":\"two\"}\n"},
		"ids":                  {render.IDs, "", page(), "one\ntwo\n"},
		"ids of no operations": {render.IDs, "", api.OperationPage{Operations: []api.Operation{}}, ""},
		"lines of none":        {render.JSONLines, "", api.OperationPage{Operations: []api.Operation{}}, ""},
		"the ID of one":        {render.IDs, "", page().Operations[1], "two\n"},
		"a line of one":        {render.JSONLines, "{a: id}", page().Operations[1], "{\"a\":\"two\"}\n"},
		"names of flows":       {render.IDs, "", api.FlowList{Flows: []api.Flow{{Name: "backup-now"}}}, "backup-now\n"},
		"selected IDs":         {render.IDs, "operations[].id", page(), "one\ntwo\n"},
		"a selected table":     {render.Table, "operations[].{id: id, status: status, more: warnings}", page(), "id   more   status\n---  -----  -------\none         Running\ntwo  [\"w\"]  Failed\n"},
		"selected facts":       {render.Table, "{first: operations[0].id, next: continue}", page(), "first  one\nnext   next\n"},
		"a selected value":     {render.Table, "continue", page(), "next\n"},
		"selected values":      {render.Table, "operations[].status", page(), "Running\nFailed\n"},
		"nothing":              {render.JSON, "nowhere", page(), "null\n"},
	} {
		shown, err := written(t, c.format, c.query, c.value)
		require.NoError(t, err, name)
		require.Equal(t, c.want, shown, name)
	}
}

func TestData_SaysWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	var unfit *render.OutputError
	_, err := written(t, render.IDs, "", api.History{Events: []api.Event{{Step: "x"}}})
	require.ErrorAs(t, err, &unfit)
	require.ErrorContains(t, err, "has no IDs, which -o id would show; use -o json")
	_, err = written(t, render.JSON, "sum(operations[].id)", page())
	require.ErrorAs(t, err, &unfit)
	require.ErrorContains(t, err, "a function gets a value of another type")
	for _, query := range []string{"operations[", "a.", "nope(", "'", "operations[?id==`{`]"} {
		_, err := render.ParseQuery(query)
		require.ErrorAs(t, err, &unfit, query)
		require.ErrorContains(t, err, "is not a JMESPath expression")
		require.ErrorContains(t, err, "use one such as operations[].id")
	}
}

func TestDataItem_WritesAStream(t *testing.T) {
	t.Parallel()
	for format, want := range map[render.Format]string{
		render.JSON: "{\"id\":\"a\"}\n{\"id\":\"a\"}\n", render.JSONLines: "{\"id\":\"a\"}\n{\"id\":\"a\"}\n",
		render.YAML: "---\nid: a\n---\nid: a\n", render.IDs: "a\na\n",
	} {
		p, out := printer(t, 80, render.Config{Format: format})
		for range 2 {
			require.NoError(t, p.DataItem(map[string]string{"id": "a"}))
		}
		require.Equal(t, want, out.String(), format)
	}
}
