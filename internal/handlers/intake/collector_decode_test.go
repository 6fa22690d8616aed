package intake

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestDecodeWakeup_RejectsWhatIsNotAWakeup(t *testing.T) {
	t.Parallel()
	w, err := DecodeWakeup([]byte(`{"operation":"abc","seq":1,"snoozes":-2}`))
	require.NoError(t, err)
	require.Equal(t, operation.Wakeup{OperationID: "abc", Seq: 1}, w)
	for name, test := range map[string]struct{ body, want string }{
		"not JSON":              {`wake up`, "decode the message"},
		"without an operation":  {`{"seq":1}`, "no operation id or seq"},
		"without a seq":         {`{"operation":"abc"}`, "no operation id or seq"},
		"with a negative seq":   {`{"operation":"abc","seq":-1}`, "no operation id or seq"},
		"with a long operation": {`{"operation":"` + strings.Repeat("a", 1000) + `","seq":1}`, "too long"},
		"longer than its limit": {strings.Repeat(" ", maxDeadLetterBody+1), "bytes long"},
	} {
		_, err := DecodeWakeup([]byte(test.body))
		require.ErrorContains(t, err, test.want, name)
	}
}
