package httpapi_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/handlers/httpapi"
)

func TestNew_RequiresItsFields(t *testing.T) {
	t.Parallel()
	_, err := httpapi.New(httpapi.Config{})
	require.ErrorContains(t, err, "empty field")
}
