package parallel_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/parallel"
)

func TestGroup_ReturnsAPanicAsAnErrorWithItsStack(t *testing.T) {
	t.Parallel()
	group, ctx := parallel.WithContext(t.Context())
	group.SetLimit(1)
	group.Go(func() error { panic("boom") })
	err := group.Wait()
	require.EqualError(t, err, "panic: boom")
	var panicked *parallel.PanicError
	require.ErrorAs(t, err, &panicked)
	require.Contains(t, string(panicked.Stack()), "group_test.go")
	require.Error(t, ctx.Err(), "the other functions are canceled")
}

func TestRecover_ReturnsAPanicOrTheError(t *testing.T) {
	t.Parallel()
	require.NoError(t, parallel.Recover(func() error { return nil }))
	require.EqualError(t, parallel.Recover(func() error { return errors.New("x") }), "x")
	var panicked *parallel.PanicError
	require.ErrorAs(t, parallel.Recover(func() error { panic("boom") }), &panicked)
	require.Contains(t, string(panicked.Stack()), "group_test.go")
}

func TestGroup_ContinuesAfterAPanicWithoutAContext(t *testing.T) {
	t.Parallel()
	group := parallel.New()
	group.SetLimit(1)
	done := 0
	group.Go(func() error { panic("boom") })
	group.Go(func() error { done++; return errors.New("later") })
	require.EqualError(t, group.Wait(), "panic: boom")
	require.Equal(t, 1, done)
}
