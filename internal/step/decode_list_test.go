package step_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/step"
)

func TestDecode_NamesTheFieldOfAListsElement(t *testing.T) {
	t.Parallel()
	type one struct {
		Path string `json:"path"`
	}
	for raw, want := range map[string]step.FieldError{
		`{"paths":[{"path":"a"},{"pfad":"b"}]}`: {Field: "parameters.paths[1].pfad", Problem: "is an unknown field", Want: "one of path"},
		`{"paths":[{"path":"a"},7]}`:            {Field: "parameters.paths[1]", Problem: "is a number", Want: "a JSON object"},
	} {
		var into struct {
			Paths []one `json:"paths"`
		}
		err := step.Decode([]byte(raw), &into, "parameters")
		require.Equal(t, []step.FieldError{want}, step.FieldsOf(err), raw)
	}
}
