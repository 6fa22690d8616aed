package statetest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

func sizeTests() []test {
	return []test{
		{"large parameters survive", largeParameters},
		{"surrogate pairs survive at every offset", surrogatePairs},
		{"too large parameters are an error that names the field", tooLargeParameters},
		{"a created operation can grow", mayGrow},
		{"a too large save writes nothing", tooLargeSave},
	}
}

func largeParameters(t *testing.T, s Store) {
	op := newOperation(1)
	op.Parameters = json.RawMessage(`"` + strings.Repeat("ü-30000 ", 36_000) + `"`)
	create(t, s, op)
	require.Equal(t, op, load(t, s, op.ID).Operation)
}

func surrogatePairs(t *testing.T, s Store) {
	for i := range 3 {
		op := newOperation(i)
		op.Parameters = json.RawMessage(`"` + strings.Repeat("x", i) + strings.Repeat("😀", 40_000) + `"`)
		create(t, s, op)
		require.Equal(t, op, load(t, s, op.ID).Operation)
	}
}

func tooLargeParameters(t *testing.T, s Store) {
	op := newOperation(1)
	op.Parameters = json.RawMessage(`"` + strings.Repeat("x", 500<<10) + `"`)
	_, _, err := s.Create(t.Context(), op, eventOf(op, "created"))
	var tooLarge *state.TooLarge
	require.ErrorAs(t, err, &tooLarge)
	require.Equal(t, "parameters", tooLarge.Field)
	require.Greater(t, tooLarge.Size, tooLarge.Limit)
	_, err = s.Load(t.Context(), op.ID)
	require.ErrorIs(t, err, engine.ErrNotFound)
	require.Empty(t, collect(t, s.ListLive(t.Context())), "nothing is written")
}

func mayGrow(t *testing.T, s Store) {
	op := newOperation(1)
	op.Parameters = json.RawMessage(`"` + strings.Repeat("x", 290<<10) + `"`)
	row := create(t, s, op)
	row = save(t, s, row, func(op *operation.Operation) {
		op.Learned = map[string]string{"answer": strings.Repeat("y", 100<<10)}
		op.LastError = &operation.Error{Message: strings.Repeat("z", 30<<10)}
	})
	require.Equal(t, row, load(t, s, op.ID))
}

func tooLargeSave(t *testing.T, s Store) {
	before := create(t, s, newOperation(1))
	row := before
	row.Operation.Learned = map[string]string{"answer": strings.Repeat("y", 600<<10)}
	_, err := s.Save(t.Context(), row, eventOf(row.Operation, "saved"))
	var tooLarge *state.TooLarge
	require.ErrorAs(t, err, &tooLarge)
	require.Equal(t, "learned", tooLarge.Field)
	require.Equal(t, before, load(t, s, "op0001"))
}
