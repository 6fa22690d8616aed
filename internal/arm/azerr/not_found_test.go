package azerr

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestIsNotFound_ReadsTheStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{404: true, 410: true, 400: false, 403: false, 500: false, 0: false} {
		require.Equal(t, want, IsNotFound(fmt.Errorf("reading: %w", &operation.Error{HTTPStatus: status})), status)
	}
	require.False(t, IsNotFound(nil))
	require.False(t, IsNotFound(errors.New("404")))
}

// The same answer is the same error: a retry must not look like news.
func TestFailedOperation_IsTheSameEachTime(t *testing.T) {
	t.Parallel()
	jobs := map[string]any{}
	for i := range 20 {
		jobs[fmt.Sprintf("job%02d", i)] = "failed"
	}
	for range 50 {
		err := FailedOperation(map[string]any{"properties": map[string]any{"failedJobsError": jobs}}, false)
		require.Equal(t, "job job00: failed", err.Message)
		err = FailedOperation(map[string]any{"ERROR": map[string]any{"message": "first"}, "Error": map[string]any{"message": "second"}}, false)
		require.Equal(t, "first", err.Message)
	}
}
