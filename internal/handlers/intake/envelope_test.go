package intake

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
)

func TestMessage_DropsALongTraceContext(t *testing.T) {
	t.Parallel()
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	require.Equal(t, trace, Decode(customhandler.Invocation{Trace: trace}).Trace)
	require.Empty(t, Decode(customhandler.Invocation{Trace: strings.Repeat("0", maxTrace+1)}).Trace)
}
