package intake

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/queue"
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

// The readable form of a map or a number is not what the sender sent. It restarts
// nothing, even if it looks like the request of an operation.
func TestCollectDeadLetters_RestartsNoBodyOfAnotherType(t *testing.T) {
	t.Parallel()
	for bodyType, started := range map[string]int{"": 1, "AMQP value (map)": 0} {
		d := newDoor(t)
		d.cfg.Load = func(context.Context, string) (engine.Row, error) { return engine.Row{}, nil }
		c := &Collector{cfg: CollectorConfig{Intake: d.Intake, Rejecter: d.cfg.Rejecter}}
		require.NoError(t, c.request(t.Context(), queue.DeadLetter{MessageID: "m1", BodyType: bodyType, Body: []byte(replayedRequest)}))
		require.Len(t, d.keys, started, bodyType)
		require.Len(t, d.records, 1-started, bodyType)
	}
}
